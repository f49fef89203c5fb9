"""The official OpenAI client for Python against the gateway; the rows are those of e2e.py."""
import json
import os

import openai

URL = os.environ["AIM_BUSINESS"] + "/v1"
client = openai.OpenAI(base_url=URL, api_key=os.environ["AIM_KEY"], max_retries=0, timeout=60)
HELLO = [{"role": "user", "content": "Hello"}]
ONLY = {"fallback": False}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


def refused(kind, call):
    try:
        call()
    except openai.APIStatusError as error:
        assert type(error) is kind, (kind, error)
        assert error.request_id and error.body["message"], error
        return error
    raise AssertionError(f"no {kind.__name__}")


answer = client.chat.completions.create(model="ok", messages=HELLO, extra_body=ONLY)
assert answer.choices[0].message.content == "A fine answer." and answer.choices[0].finish_reason == "stop", answer
assert answer.model == "ok" and answer.usage.total_tokens > 0, answer

chunks = list(client.chat.completions.create(model="ok", messages=HELLO, stream=True, stream_options={"include_usage": True}, extra_body=ONLY))
assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "A fine answer."
assert [c.choices[0].delta.role for c in chunks if c.choices].count("assistant") == 1
assert not chunks[-1].choices and chunks[-1].usage.total_tokens > 0, chunks[-1]
assert all(c.usage is None for c in chunks[:-1]) and len({(c.id, c.created, c.model) for c in chunks}) == 1

names = [m.id for m in client.models.list()]
assert names[0] == "auto" and "ok" in names, names
assert client.models.retrieve("ok").owned_by == "groq"

# A tool call, and the answer to its result.
call = client.chat.completions.create(model="tool", messages=HELLO, tools=TOOLS, extra_body=ONLY).choices[0]
assert call.finish_reason == "tool_calls"
tool = call.message.tool_calls[0]
assert tool.function.name == "weather" and json.loads(tool.function.arguments) == {"city": "Oslo"}, tool
result = HELLO + [call.message, {"role": "tool", "tool_call_id": tool.id, "content": "4 degrees"}]
assert client.chat.completions.create(model="ok", messages=result, tools=TOOLS, extra_body=ONLY).choices[0].message.content == "A fine answer."
with client.chat.completions.stream(model="tools", messages=HELLO, tools=TOOLS, extra_body=ONLY) as stream:
    calls = stream.get_final_completion().choices[0].message.tool_calls
assert [(c.function.name, json.loads(c.function.arguments)) for c in calls] == [("weather", {"city": "Oslo"}), ("clock", {"zone": "UTC"})], calls

# The client asks for base64 when it is not told otherwise, and decodes it.
vectors = client.embeddings.create(model="vectors", input=["four", "sixsix"])
assert [v.embedding for v in vectors.data] == [[4.0, 1.0, 1.0], [6.0, 1.0, 1.0]], vectors
assert vectors.model == "vectors" and vectors.usage.total_tokens == 14 and vectors.data[1].index == 1, vectors
assert client.embeddings.create(model="vectors", input="four", encoding_format="float").data[0].embedding == [4.0, 1.0, 1.0]
assert refused(openai.BadRequestError, lambda: client.embeddings.create(model="vectors", input="a", dimensions=2)).code == "unsupported"

create = client.chat.completions.create
refused(openai.AuthenticationError, lambda: openai.OpenAI(base_url=URL, api_key="wrong", max_retries=0).models.list())
assert refused(openai.NotFoundError, lambda: create(model="nobody", messages=HELLO)).code == "model_not_found"
refused(openai.NotFoundError, lambda: client.models.retrieve("nobody"))
refused(openai.BadRequestError, lambda: create(model="ok", messages=[]))
refused(openai.BadRequestError, lambda: create(model="refused", messages=HELLO, extra_body=ONLY))
assert refused(openai.RateLimitError, lambda: create(model="limited", messages=HELLO, extra_body=ONLY)).response.headers["retry-after"]
try:
    list(create(model="echo", messages=HELLO, stream=True, extra_body=ONLY))
    list(create(model="stream-error", messages=HELLO, stream=True, extra_body=ONLY))
    raise AssertionError("the error in the stream was not seen")
except openai.APIError as error:
    assert error.message, error
print("OpenAI's client for Python", openai.__version__, "agrees")
