// Anthropic's own Node SDK against a live gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic, {
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
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

const settings = { baseURL: GATEWAY, maxRetries: 0, timeout: 20_000 };
const client = new Anthropic({ ...settings, apiKey: KEY });
const max_tokens = 1000;
const weather = { name: "get_weather", description: "The weather.", input_schema: place };

for (const model of models) {
  test(`${model}: a plain answer`, async () => {
    const answer = await client.messages.create({ model, max_tokens, messages: riddle });
    assert.deepEqual(answer.content.map((block) => block.text), [SAY]);
    assert.equal(answer.stop_reason, "end_turn");
    assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
    assert.ok(answer._request_id);
  });

  test(`${model}: the stream helper puts it together, piece by piece`, async () => {
    const pieces = [];
    const stream = client.messages.stream({ model, max_tokens, messages: riddle });
    stream.on("text", (piece) => pieces.push(piece));
    const whole = await stream.finalMessage();
    assert.equal(whole.content[0].text, SAY);
    assert.equal(pieces.join(""), SAY);
    assert.ok(pieces.length > 3);
    assert.ok(whole.usage.output_tokens > 0);
  });

  test(`${model}: a raw stream ends with its own last event`, async () => {
    const stream = await client.messages.create({ model, max_tokens, messages: riddle, stream: true });
    const kinds = (await Array.fromAsync(stream)).map((event) => event.type);
    assert.equal(kinds[0], "message_start");
    assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
  });

  test(`${model}: tools, plain and streamed, are the same calls`, async () => {
    const ask = { model, max_tokens, messages: cities, tools: [weather] };
    const plain = await client.messages.create(ask);
    const streamed = await client.messages.stream(ask).finalMessage();
    for (const answer of [plain, streamed]) {
      assert.equal(answer.stop_reason, "tool_use");
      const uses = answer.content.filter((block) => block.type === "tool_use");
      assert.deepEqual(uses.map((use) => use.input), [{ city: "Paris" }, { city: "Rome" }]);
    }
  });

  for (const stream of [false, true]) {
    test(`${model}: the tool runner comes to an end, stream: ${stream}`, async () => {
      const asked = [];
      const run = (input) => {
        asked.push(input.city);
        return weatherIn(input);
      };
      const tools = [betaTool({ name: "get_weather", description: "The weather.", inputSchema: place, run })];
      const runner = client.beta.messages.toolRunner({ model, max_tokens, messages: cities, tools, stream });
      const last = await runner.runUntilDone();
      assert.deepEqual(asked, ["Paris", "Rome"]);
      assert.match(last.content[0].text, /Paris: 17 degrees.*Rome: 17 degrees/s);
    });
  }

  test(`${model}: a schema is filled in`, async () => {
    const output_config = { format: jsonSchemaOutputFormat(place) };
    const answer = await client.messages.parse({ model, max_tokens, messages: home, output_config });
    assert.deepEqual(answer.parsed_output, { city: "Lisbon" });
  });

  test(`${model}: tokens are counted without an answer`, async () => {
    const counted = await client.messages.countTokens({ model, messages: riddle });
    assert.ok(counted.input_tokens > 5);
  });
}

test("an answer that is cut short says so", async () => {
  const answer = await client.messages.create({ model: "instant", max_tokens: 2, messages: riddle });
  assert.equal(answer.stop_reason, "max_tokens");
});

test("the models are listed in Anthropic's shape", async () => {
  const listed = (await Array.fromAsync(client.models.list())).map((model) => model.id);
  assert.ok(listed.includes("instant") && listed.includes("sim/instant"));
  const model = await client.models.retrieve("sim/instant");
  assert.equal(model.type, "model");
  assert.ok(Date.parse(model.created_at) > 0);
});

const failures = [
  [BadRequestError, { temperature: "hot" }, 400, "invalid_request_error"],
  [BadRequestError, { messages: [] }, 400, "invalid_request_error"],
  [NotFoundError, { model: "nothing" }, 404, "not_found_error"],
  [RateLimitError, { model: "lab/error-429" }, 429, "rate_limit_error"],
  [InternalServerError, { model: "lab/error-500" }, 502, "api_error"],
  [APIError, { model: "hasty/silent", stream: true }, 504, "timeout_error"],
];
for (const [kind, body, status, type] of failures) {
  test(`${JSON.stringify(body)} is a ${kind.name}`, async () => {
    await assert.rejects(
      client.messages.create({ model: "instant", max_tokens, messages: hello, ...body }),
      (error) => {
        assert.ok(error instanceof kind, `${error}`);
        assert.equal(error.status, status);
        assert.equal(error.error.error.type, type);
        assert.ok(error.requestID);
        return true;
      },
    );
  });
}

test("a key is refused where it must be, and taken as a bearer token too", async () => {
  const wrong = new Anthropic({ ...settings, apiKey: "dg-wrong" });
  await assert.rejects(wrong.messages.create({ model: "instant", max_tokens, messages: hello }), AuthenticationError);
  const guest = new Anthropic({ ...settings, apiKey: GUEST_KEY });
  const ask = { max_tokens, messages: hello };
  await assert.rejects(guest.messages.create({ ...ask, model: "sim/chat" }), PermissionDeniedError);
  const bearer = new Anthropic({ ...settings, apiKey: null, authToken: GUEST_KEY });
  const answer = await bearer.messages.create({ model: "instant", max_tokens, messages: riddle });
  assert.equal(answer.content[0].text, SAY);
});

for (const model of broken) {
  test(`${model}: a stream that breaks raises and never finishes`, async () => {
    const kinds = [];
    await assert.rejects(async () => {
      const stream = await client.messages.create({ model, max_tokens, messages: riddle, stream: true });
      for await (const event of stream) kinds.push(event.type);
    }, APIError);
    assert.ok(kinds.every((kind) => kind !== "message_delta" && kind !== "message_stop"));
  });
}

test("a call that is given up ends in the gateway", async () => {
  const ask = { max_tokens, messages: riddle };
  await assert.rejects(
    client.messages.create({ ...ask, model: "lab/silent" }, { timeout: 300 }),
    APIConnectionTimeoutError,
  );
  const aborted = client.messages.stream({ ...ask, model: "lab/stall" });
  aborted.on("text", () => aborted.abort());
  await assert.rejects(aborted.finalMessage(), APIUserAbortError);
  await settled();
});
