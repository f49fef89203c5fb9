// The official OpenAI client for Node against the gateway; the rows are those of e2e.py.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const baseURL = process.env.AIM_BUSINESS + '/v1';
const client = new OpenAI({baseURL, apiKey: process.env.AIM_KEY, maxRetries: 0, timeout: 60000});
const messages = [{role: 'user', content: 'Hello'}];
const tools = [{type: 'function', function: {name: 'weather', parameters: {type: 'object', properties: {city: {type: 'string'}}}}}];
const create = (model, more = {}) => client.chat.completions.create({model, messages, fallback: false, ...more});

const answer = await create('ok');
assert.equal(answer.choices[0].message.content, 'A fine answer.');
assert.equal(answer.choices[0].finish_reason, 'stop');
assert.ok(answer.usage.total_tokens > 0);

const chunks = [];
for await (const chunk of await create('ok', {stream: true, stream_options: {include_usage: true}})) chunks.push(chunk);
assert.equal(chunks.map(c => c.choices[0]?.delta.content ?? '').join(''), 'A fine answer.');
assert.equal(chunks.at(-1).choices.length, 0);
assert.ok(chunks.at(-1).usage.total_tokens > 0);

// The helper throws on whatever is missing in the pieces.
const whole = await client.chat.completions.stream({model: 'ok', messages, fallback: false}).finalChatCompletion();
assert.equal(whole.choices[0].message.content, 'A fine answer.');
const called = await client.chat.completions.stream({model: 'tools', messages, tools, fallback: false}).finalChatCompletion();
assert.deepEqual(called.choices[0].message.tool_calls.map(c => [c.function.name, JSON.parse(c.function.arguments)]),
    [['weather', {city: 'Oslo'}], ['clock', {zone: 'UTC'}]]);

const names = [];
for await (const model of client.models.list()) names.push(model.id);
assert.equal(names[0], 'auto');
assert.ok(names.includes('ok'));
assert.equal((await client.models.retrieve('ok')).owned_by, 'groq');

const call = (await create('tool', {tools})).choices[0];
assert.equal(call.finish_reason, 'tool_calls');
const tool = call.message.tool_calls[0];
assert.deepEqual(JSON.parse(tool.function.arguments), {city: 'Oslo'});
const result = [...messages, call.message, {role: 'tool', tool_call_id: tool.id, content: '4 degrees'}];
assert.equal((await create('ok', {messages: result, tools})).choices[0].message.content, 'A fine answer.');

// The client asks for base64 when it is not told otherwise, and decodes whatever comes.
const vectors = await client.embeddings.create({model: 'vectors', input: ['four', 'sixsix']});
assert.deepEqual(vectors.data.map(v => [...v.embedding]), [[4, 1, 1], [6, 1, 1]]);
assert.equal(vectors.usage.total_tokens, 14);
const numbers = await client.embeddings.create({model: 'vectors', input: 'four', encoding_format: 'float'});
assert.deepEqual(numbers.data[0].embedding, [4, 1, 1]);

const refused = (kind, promise) => assert.rejects(promise, error => {
  assert.equal(error.constructor, kind, String(error));
  assert.ok(error.requestID && error.message);
  return true;
});
await refused(OpenAI.AuthenticationError, new OpenAI({baseURL, apiKey: 'wrong', maxRetries: 0}).models.list());
await refused(OpenAI.NotFoundError, create('nobody'));
await refused(OpenAI.NotFoundError, client.models.retrieve('nobody'));
await refused(OpenAI.BadRequestError, create('ok', {messages: []}));
await refused(OpenAI.BadRequestError, create('refused'));
await refused(OpenAI.RateLimitError, create('limited'));
await assert.rejects(async () => {
  for await (const chunk of await create('stream-error', {stream: true})) assert.ok(chunk.id);
}, OpenAI.APIError);
console.log('OpenAI\'s client for Node agrees on', process.version);
