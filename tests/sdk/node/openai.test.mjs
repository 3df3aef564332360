// OpenAI's own Node SDK against a live gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, {
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
import { LengthFinishReasonError } from "openai/error";
import {
  GATEWAY,
  GUEST_KEY,
  KEY,
  SAY,
  broken,
  cities,
  hello,
  home,
  models,
  place,
  riddle,
  settled,
  weatherIn,
} from "./asks.mjs";

const baseURL = `${GATEWAY}/v1`;
const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0, timeout: 20_000 });
const weather = { type: "function", function: { name: "get_weather", description: "The weather.", parameters: place } };

for (const model of models) {
  test(`${model}: a plain answer`, async () => {
    const answer = await client.chat.completions.create({ model, messages: riddle });
    assert.equal(answer.choices[0].message.content, SAY);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer._request_id);
  });

  test(`${model}: a streamed answer, with its usage at the end`, async () => {
    const stream_options = { include_usage: true };
    const stream = await client.chat.completions.create({ model, messages: riddle, stream: true, stream_options });
    const chunks = await Array.fromAsync(stream);
    const last = chunks.pop();
    assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), SAY);
    assert.deepEqual(last.choices, []);
    assert.ok(last.usage.total_tokens > 2);
  });

  test(`${model}: the stream helper puts it together`, async () => {
    const pieces = [];
    const stream = client.chat.completions.stream({ model, messages: riddle });
    stream.on("content", (delta) => pieces.push(delta));
    const whole = await stream.finalChatCompletion();
    assert.equal(whole.choices[0].message.content, SAY);
    assert.equal(pieces.join(""), SAY);
    assert.ok(pieces.length > 3);
  });

  test(`${model}: tools, plain and streamed, are the same calls`, async () => {
    const plain = await client.chat.completions.create({ model, messages: cities, tools: [weather] });
    const streamed = await client.chat.completions
      .stream({ model, messages: cities, tools: [weather] })
      .finalChatCompletion();
    for (const answer of [plain, streamed]) {
      assert.equal(answer.choices[0].finish_reason, "tool_calls");
      const asked = answer.choices[0].message.tool_calls.map((call) => call.function.arguments);
      assert.deepEqual(asked, ['{"city":"Paris"}', '{"city":"Rome"}']);
    }
    const ids = [plain, streamed].map((answer) => answer.choices[0].message.tool_calls.map((call) => call.id));
    assert.deepEqual(ids[0], ids[1]);
  });

  for (const stream of [false, true]) {
    test(`${model}: the tools runner comes to an end, stream: ${stream}`, async () => {
      const asked = [];
      const getWeather = (input) => {
        asked.push(input.city);
        return weatherIn(input);
      };
      const runnable = {
        type: "function",
        function: { ...weather.function, parse: JSON.parse, function: getWeather },
      };
      const runner = client.chat.completions.runTools({ model, messages: cities, tools: [runnable], stream });
      const content = await runner.finalContent();
      assert.deepEqual(asked, ["Paris", "Rome"]);
      assert.match(content, /Paris: 17 degrees/);
      assert.match(content, /Rome: 17 degrees/);
    });
  }

  test(`${model}: a schema is filled in, or cut short with an error`, async () => {
    const json_schema = { name: "place", strict: true, schema: place };
    const ask = {
      model,
      messages: home,
      response_format: { type: "json_schema", json_schema },
    };
    const answer = await client.chat.completions.create(ask);
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { city: "Lisbon" });
    await assert.rejects(
      client.chat.completions.stream({ ...ask, max_tokens: 1 }).finalChatCompletion(),
      LengthFinishReasonError,
    );
  });

  test(`${model}: text completions`, async () => {
    const prompt = `Say: ${SAY}`;
    const plain = await client.completions.create({ model, prompt });
    assert.equal(plain.choices[0].text, SAY);
    const chunks = await Array.fromAsync(await client.completions.create({ model, prompt, stream: true }));
    assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), SAY);
  });

  test(`${model}: many calls at once do not mix`, async () => {
    const words = Array.from({ length: 30 }, (_, number) => `word-${number}`);
    const said = await Promise.all(
      words.map((word) =>
        client.chat.completions.stream({ model, messages: [{ role: "user", content: `Say: ${word}` }] }).finalContent(),
      ),
    );
    assert.deepEqual(said, words);
  });
}

test("the headers tell who answered", async () => {
  const { response, request_id } = await client.chat.completions
    .create({ model: "fallback", messages: hello })
    .withResponse();
  assert.equal(response.headers.get("x-dragoman-model"), "sim/instant");
  assert.equal(response.headers.get("x-dragoman-attempts"), "3");
  assert.equal(response.headers.get("x-request-id"), request_id);
});

test("the models are listed and found, whatever their names hold", async () => {
  const names = (await Array.fromAsync(client.models.list())).map((model) => model.id);
  assert.ok(names.includes("instant") && names.includes("sim/instant"));
  assert.equal((await client.models.retrieve("sim/instant")).owned_by, "sim");
});

const failures = [
  [BadRequestError, { temperature: "hot" }, { status: 400, param: "temperature", code: "invalid_type" }],
  [BadRequestError, { messages: [] }, { status: 400, param: "messages" }],
  [NotFoundError, { model: "nothing" }, { status: 404, code: "model_not_found" }],
  [RateLimitError, { model: "lab/error-429" }, { status: 429, code: "rate_limit_exceeded" }],
  [InternalServerError, { model: "lab/error-500" }, { status: 502, code: "upstream_error" }],
  [InternalServerError, { model: "lab/error-html", stream: true }, { status: 502, code: "upstream_invalid" }],
  [InternalServerError, { model: "hasty/silent", stream: true }, { status: 504, code: "upstream_timeout" }],
];
for (const [kind, body, expected] of failures) {
  test(`${JSON.stringify(body)} is a ${kind.name}`, async () => {
    await assert.rejects(client.chat.completions.create({ model: "instant", messages: hello, ...body }), (error) => {
      assert.ok(error instanceof kind, `${error}`);
      assert.ok(error.requestID);
      for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value);
      return true;
    });
  });
}

test("a key is refused where it must be", async () => {
  const wrong = new OpenAI({ baseURL, apiKey: "dg-wrong", maxRetries: 0 });
  await assert.rejects(wrong.models.list(), AuthenticationError);
  const guest = new OpenAI({ baseURL, apiKey: GUEST_KEY, maxRetries: 0 });
  await assert.rejects(guest.chat.completions.create({ model: "sim/chat", messages: hello }), PermissionDeniedError);
});

for (const model of broken) {
  test(`${model}: a stream that breaks raises and never finishes`, async () => {
    const chunks = [];
    await assert.rejects(async () => {
      for await (const chunk of await client.chat.completions.create({ model, messages: riddle, stream: true })) {
        chunks.push(chunk);
      }
    }, APIError);
    assert.ok(chunks.every((chunk) => chunk.choices[0].finish_reason === null));
  });
}

test("what was tried upstream is not tried again by the client", async () => {
  const patient = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 3 });
  const began = performance.now();
  await assert.rejects(patient.chat.completions.create({ model: "lab/error-500", messages: hello }), (error) => {
    assert.equal(error.headers.get("x-should-retry"), "false");
    return true;
  });
  assert.ok(performance.now() - began < 5_000);
});

test("a call that is given up ends in the gateway", async () => {
  await assert.rejects(
    client.chat.completions.create({ model: "lab/silent", messages: hello }, { timeout: 300 }),
    APIConnectionTimeoutError,
  );
  const aborted = client.chat.completions.stream({ model: "lab/stall", messages: riddle });
  aborted.on("chunk", () => aborted.abort());
  await assert.rejects(aborted.finalChatCompletion(), APIUserAbortError);
  const broken = await client.chat.completions.create({ model: "sim/stall", messages: riddle, stream: true });
  for await (const _chunk of broken) break;
  await settled();
});
