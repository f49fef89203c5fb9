-- The first models: six providers with a free tier, and three played by the mock plugin with different speed and error rate. Run once
-- in a database's life (database_identity.seeded_at), so an operator's changes and deletions stay. Prices are US dollars per million tokens.
INSERT INTO ai_models (name, provider, endpoint, upstream_model, context_window, capabilities, input_price_per_million,
                       output_price_per_million, settings)
VALUES
    ('gemini-2.5-flash', 'gemini', 'https://generativelanguage.googleapis.com/v1beta', 'gemini-2.5-flash', 1048576,
     '{stream,tools,json_schema,vision}', 0.30, 2.50, '{}'),
    ('llama-3.3-70b', 'groq', 'https://api.groq.com/openai/v1', 'llama-3.3-70b-versatile', 131072,
     '{stream,tools}', 0.59, 0.79, '{}'),
    ('gpt-oss-120b', 'cerebras', 'https://api.cerebras.ai/v1', 'gpt-oss-120b', 65536,
     '{stream,tools,json_schema}', 0.35, 0.75, '{}'),
    ('deepseek-v3.1', 'sambanova', 'https://api.sambanova.ai/v1', 'DeepSeek-V3.1', NULL,
     '{stream,tools}', NULL, NULL, '{}'),
    ('llama-3.1-8b', 'huggingface', 'https://router.huggingface.co/v1', 'meta-llama/Llama-3.1-8B-Instruct', 131072,
     '{stream,tools}', NULL, NULL, '{}'),
    ('llama-3.3-70b-fast', 'cloudflare', '', '@cf/meta/llama-3.3-70b-instruct-fp8-fast', 24000,
     '{stream,tools}', 0.293, 2.253, '{}'),
    ('mock-fast', 'mock', 'mock://fast', 'mock-fast', 32768,
     '{stream,tools,json_schema,embeddings}', 0, 0, '{"latency_ms": 50, "jitter_ms": 20, "tokens_per_second": 400}'),
    ('mock-steady', 'mock', 'mock://steady', 'mock-steady', 32768,
     '{stream,tools,json_schema}', 0, 0, '{"latency_ms": 400, "jitter_ms": 100, "error_rate": 0.02, "tokens_per_second": 120}'),
    ('mock-flaky', 'mock', 'mock://flaky', 'mock-flaky', 32768,
     '{stream,tools}', 0, 0,
     '{"latency_ms": 1200, "jitter_ms": 600, "error_rate": 0.25, "error_kind": "overloaded", "tokens_per_second": 40}')
ON CONFLICT (name) DO NOTHING;
