"""Every documented operation of both APIs over plain HTTP; each exchange is checked against the OpenAPI documents."""
import json
import os
import time
import urllib.request

from openapi_client import Api

business, data = Api(os.environ["AIM_BUSINESS"]), Api(os.environ["AIM_DATA"])
KEY = {"X-API-Key": os.environ["AIM_KEY"]}
NO_ID = "01a1fbff-8f94-7fca-a302-1f69bfaabfa0"
JSON = {"Content-Type": "application/json"}
business.check_examples()
data.check_examples()


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain for " + what
        time.sleep(0.05)


def add_row(name, upstream):
    row = {"name": name, "provider": "groq", "endpoint": os.environ["AIM_FAKE"] + "/openai/v1", "upstream_model": upstream}
    return data.call("POST", "/api/v1/models", row, expect=201).json()


# The rows of the seed would reach for the network.
for row in data.call("GET", "/models?is_active=true", expect=200).json():
    data.call("PATCH", "/models/" + row["id"], {"is_active": False}, expect=200)
data.call("GET", "/models/best", expect=404)

ok = add_row("ok", "fake/ok")
ROWS = {"tool": "fake/tool-call", "limited": "fake/429-seconds", "refused": "fake/context-length", "broken": "fake/500",
        "cut": "scripted/cut", "stream-error": "scripted/error", "filtered": "fake/content-filter", "echo": "any/echo",
        "tools": "fake/tool-calls-fragmented"}
# With pauses, for a failure that comes together with the first text is one before it: there the answer is still a 502.
PAUSED = {"text": "a b c d", "chunk_delay_ms": 200}
SCRIPTS = {"scripted/cut": {**PAUSED, "cut_after_chunks": 2},
           "scripted/error": {**PAUSED, "error_in_stream": {"message": "overloaded", "type": "overloaded_error"}, "error_after_chunks": 2}}
for upstream, step in SCRIPTS.items():
    script = {"match": {"model": upstream}, "steps": [step], "repeat_last": True}
    urllib.request.urlopen(os.environ["AIM_FAKE"] + "/__control/script", json.dumps(script).encode(), timeout=30).close()
rows = {name: add_row(name, upstream) for name, upstream in ROWS.items()}
data.call("PATCH", "/api/v1/models/" + add_row("vectors", "embed/ok")["id"], {"capabilities": ["embeddings"]}, expect=200)
states = lambda: {m["name"]: m["state"] for m in business.call("GET", "/api/v1/models", expect=200).json()}
until(lambda: all(states().get(n) == "available" for n in ["ok", "vectors", *ROWS]), "the new rows in the catalogue")

# --- business API: answers
for path in ("/api/v1/prompts", "/api/v1/prompts/process"):
    answer = business.call("POST", path, {"prompt": "Hi", "model": "ok", "username": "anna", "user_id": "telegram_42"}, KEY, 200).json()
    assert answer["response"] == "A fine answer." and answer["model_used"]["name"] == "ok", answer
assert business.call("POST", "/api/v1/prompts", {"prompt": "Hi", "model": "filtered", "fallback": False}, KEY,
                     200).json()["finish_reason"] == "content_filter"


def chat(model, expect=200, **more):
    request = {"model": model, "fallback": False, "messages": [{"role": "user", "content": "Hello there"}], **more}
    return business.call("POST", "/v1/chat/completions", request, {"Authorization": "Bearer " + os.environ["AIM_KEY"]}, expect)


assert chat("ok").json()["choices"][0]["message"]["content"] == "A fine answer."
assert "Hello" in chat("echo").json()["choices"][0]["message"]["content"]
assert chat("tool").json()["choices"][0]["finish_reason"] == "tool_calls"
for model in ("ok", "tool", "tools", "echo"):
    assert chat(model, stream=True).body.endswith(b"data: [DONE]\n\n")
assert b'"total_tokens"' in chat("ok", stream=True, stream_options={"include_usage": True}).body
assert b'"error"' in chat("stream-error", stream=True).body
assert b'"error"' in chat("cut", stream=True).body

def embed(**request):
    return business.call("POST", "/v1/embeddings", request, KEY).json()


# The new capability takes a moment to be known.
until(lambda: "data" in embed(input="auto"), "the row for embeddings")
assert [v["embedding"] for v in embed(model="vectors", input=["four", "sixsix"])["data"]] == [[4, 1, 1], [6, 1, 1]]
assert isinstance(embed(model="vectors", input="four", encoding_format="base64")["data"][0]["embedding"], str)
business.call("POST", "/v1/embeddings", {"model": "vectors", "input": [1, 2]}, KEY, 400)
chat("vectors", 400)

# --- business API: refusals
for path, message in (("/api/v1/prompts", {"prompt": "Hi"}), ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
                      ("/v1/embeddings", {"input": "Hi"})):
    business.call("POST", path, message, {}, 401)
    business.call("POST", path, message, {"X-API-Key": "wrong"}, 401)
    business.call("POST", path, {**message, "model": "nobody"}, KEY, 404)
    business.call("POST", path, {**message, "model": "refused", "fallback": False}, KEY, 400)
    business.call("PUT", path, message, KEY, 405)
business.call("POST", "/api/v1/prompts", {"prompt": "Hi", "model": "broken", "fallback": False}, KEY, 502)
limited = chat("limited", 429)
assert limited.headers["Retry-After"], limited.headers

for path in ("/api/v1/plugins", "/v1/models", "/v1/models/ok", "/v1/models/auto"):
    business.call("GET", path, None, KEY, 200)
    business.call("GET", path, None, {}, 401)
business.call("GET", "/v1/models/nobody", None, KEY, 404)
business.call("POST", "/api/v1/plugins/rescan", {}, KEY)
business.call("POST", "/api/v1/plugins/rescan", {}, {}, 401)
business.call("GET", f"/api/v1/models/{ok['id']}/stats", expect=200)
business.call("GET", f"/api/v1/models/{NO_ID}/stats", expect=404)
business.call("GET", "/api/v1/models/seven/stats", expect=400)
for path in ("/api/v1/models/stats", "/health", "/ready", "/metrics", "/docs", "/openapi.json"):
    business.call("GET", path, expect=200)
    business.call("DELETE", path, None, KEY, 405)
for api in (business, data):
    for path in ("/docs/start.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"):
        api.call("GET", path, expect=200)
    api.call("GET", "/docs/nothing.js", expect=404)
business.call("GET", "/api/v1/prompts/history?limit=2", None, KEY, 200)
business.call("GET", "/api/v1/prompts/history?limit=0", None, KEY, 400)
business.call("GET", "/api/v1/prompts/history", None, {}, 401)
tested = business.call("POST", "/api/v1/providers/test", {"providers": ["groq"]}, KEY, 200).json()
assert tested["tested"] == len(tested["results"]) > tested["succeeded"] > 0, tested
business.call("POST", "/api/v1/providers/test", {"providers": ["nobody"]}, KEY, 400)
business.call("POST", "/api/v1/providers/test", {}, {}, 401)
for path in ("/api/v1/nothing", "/v1/nothing", "/nothing"):
    business.call("GET", path, None, KEY, 404)

# --- data API
for prefix in ("", "/api/v1"):
    for path in ("/models/best", "/models/stats", "/models/stats?window=24h", "/health", "/ready", "/metrics", "/docs", "/openapi.json",
                 "/models?include=last_24h", "/models/best?exclude=" + ok["id"], "/prompts/history?limit=2", "/history?status=success"):
        data.call("GET", prefix + path, expect=200)
    for path in ("/models", "/models/best", "/ledger", "/history", "/health", "/models/" + ok["id"]):
        data.call("PUT", prefix + path, {}, expect=405)
    data.call("GET", prefix + "/nothing", expect=404)
    temporary = data.call("POST", prefix + "/models", {"name": "temporary", "provider": "nobody's", "is_active": False}, expect=201).json()
    one = f"{prefix}/models/{temporary['id']}"
    data.call("POST", prefix + "/models", {"name": "temporary", "provider": "x"}, expect=409)
    data.call("GET", one, expect=200)
    data.call("PATCH", one, {"name": "ok"}, expect=409)
    data.call("PATCH", one, {"settings": {"attempt_timeout_ms": 5}, "context_window": 10, "input_price_per_million": "0.5"}, expect=200)
    data.call("PATCH", one, {"nonsense": 1}, expect=400)
    data.call("POST", one + "/stats", {"response_time_ms": 10, "success": True}, expect=200)
    data.call("POST", one + "/stats", {"success": 1}, expect=400)
    data.call("GET", one + "/stats", expect=200)
    for what in ("success", "failure"):
        data.call("POST", f"{one}/increment-{what}", expect=200)
        data.call("POST", f"{one}/increment-{what}", {"response_time_ms": 3}, expect=200)
        data.call("POST", f"{one}/increment-{what}", {"response_time_ms": "3"}, expect=400)
        data.call("POST", f"{one}/increment-{what}", "x", {"Content-Type": "text/plain"}, 415)
        data.call("POST", f"{prefix}/models/{NO_ID}/increment-{what}", expect=404)
    outcome = {"id": NO_ID[:-2] + ("a1" if prefix else "a2"), "model_id": temporary["id"], "outcome": "success", "response_time_ms": 20}
    applied = data.call("POST", prefix + "/ledger", {"outcomes": [outcome, {"id": "bad"}], "history": []}, expect=200).json()
    assert len(applied["rejected"]) == 1, applied
    data.call("POST", prefix + "/ledger", {"outcomes": 5}, expect=400)
    for path in ("/prompts/history", "/history"):
        record = {"prompt_text": "Hi", "status": "success", "user_id": "telegram_7", "ai_model_id": temporary["id"], "attempts": []}
        stored = data.call("POST", prefix + path, record, expect=201).json()
        data.call("POST", prefix + path, {**record, "id": stored["id"]}, expect=200)
        data.call("POST", prefix + path, {"prompt_text": "Hi"}, expect=400)
        data.call("GET", prefix + path + "?limit=0", expect=400)
        data.call("POST", prefix + path, "x", {"Content-Type": "text/plain"}, 415)
    data.call("DELETE", one, expect=204)
    data.call("DELETE", one, expect=404)
    data.call("GET", one, expect=404)
    data.call("GET", one + "/stats", expect=404)
    data.call("PATCH", one, {}, expect=404)
    data.call("GET", prefix + "/models/seven", expect=400)
    data.call("GET", prefix + "/models?include=ciphertext", expect=403)
    key = data.call("POST", prefix + "/keys", {"name": "e2e" + prefix, "scopes": ["prompts"]}, expect=201).json()
    data.call("POST", prefix + "/keys", {"name": "e2e" + prefix}, expect=409)
    data.call("POST", prefix + "/keys", {"name": 5}, expect=400)
    until(lambda: business.call("GET", "/v1/models", None, {"X-API-Key": key["secret"]}).status == 200, "the new key")
    business.call("GET", "/api/v1/plugins", None, {"X-API-Key": key["secret"]}, 403)
    data.call("GET", prefix + "/keys", expect=200)
    data.call("GET", f"{prefix}/keys/{key['id']}", expect=200)
    etag = data.call("GET", prefix + "/keys/hashes", expect=200).headers["ETag"]
    data.call("GET", prefix + "/keys/hashes", None, {"If-None-Match": etag}, 304)
    data.call("POST", prefix + "/keys/last-used", 5, expect=400)
    data.call("POST", f"{prefix}/keys/{key['id']}/rotate", {}, expect=200)
    data.call("POST", f"{prefix}/keys/{NO_ID}/rotate", {}, expect=404)
    data.call("DELETE", f"{prefix}/keys/{key['id']}", expect=204)
    data.call("GET", f"{prefix}/keys/{NO_ID}", expect=404)
    # Without a service token nobody may read or change encrypted keys.
    data.call("POST", f"{prefix}/models/{ok['id']}/reencrypted-key", {}, expect=403)
    # Outcomes of earlier prompts may still arrive, hence "until".
    until(lambda: data.call("GET", prefix + "/models", None, {
        "If-None-Match": data.call("GET", prefix + "/models", expect=200).headers["ETag"]}).status == 304, "a 304")

# What was asked above arrives in the history.
until(lambda: any(r["prompt_text"] == "Hi" and r["username"] == "anna" and r["user_telegram_id"] == 42 for r in data.call(
    "GET", "/prompts/history?user_id=telegram_42", expect=200).json()["items"]), "the history of the prompts")

# --- malformed bodies: refused as documented, never a 5xx
MALFORMED = [b"", b"{", b"null", b"[]", b"5", b'"x"', b"{}x", b"\0", b'{"a":"\0"}', b'{"prompt":"\xff"}', b'{"prompt":"a","prompt":"b"}',
             b'{"prompt":"\\ud800"}', b"[" * 10000, b'{"a":' * 10000, b'{"prompt":5}', b'{"prompt":""}', b'{"prompt":["x"]}',
             b'{"prompt":"x","max_tokens":"many"}', b'{"messages":[]}', b'{"messages":5}', b'{"messages":[5]}', b'{"messages":[{"role":5}]}',
             b'{"name":5}', b'{"name":"","provider":""}', b'{"name":"auto","provider":"x"}', b'{"name":"a","provider":"b","endpoint":"ftp:/"}',
             b'{"prompt_text":5,"status":"x"}', b'{"outcomes":[],"history":5}', b'{"a":1e999}', b"\xef\xbb\xbf{}"]
for api, posts in ((business, ["/api/v1/prompts", "/api/v1/prompts/process", "/v1/chat/completions", "/v1/embeddings"]),
                   (data, ["/models", "/ledger", "/history", "/prompts/history", f"/models/{ok['id']}/stats"])):
    for path in posts:
        for body in MALFORMED:
            answer = api.call("POST", path, body, {**JSON, **KEY})
            assert answer.status < 500, (path, body[:60], answer.status)
            assert answer.status == 400 or (path, body[:1]) == ("/ledger", b"{"), (path, body[:60], answer.status)
for body in MALFORMED:
    assert data.call("PATCH", "/models/" + ok["id"], body, JSON).status < 500
business.call("GET", "/ready", expect=200)

for label, api in (("business", business), ("data", data)):
    assert not api.uncovered(), (label, api.uncovered())
    print(f"{label} API: {len(api.covered)} answers of {len(api.document['paths'])} paths agree with its document")
