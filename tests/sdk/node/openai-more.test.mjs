// OpenAI's own Node SDK against a live gateway, beyond chat: responses, embeddings, moderations.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { APIError, NotFoundError } from "openai";
import { GATEWAY, KEY, SAY, broken, models, place, settled, weatherIn } from "./asks.mjs";

const client = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, maxRetries: 0, timeout: 20_000 });
const input = `Say: ${SAY}`;
const weather = { type: "function", name: "get_weather", description: "The weather.", parameters: place, strict: true };

for (const model of models) {
  test(`${model}: a plain response`, async () => {
    const response = await client.responses.create({ model, input });
    assert.equal(response.output_text, SAY);
    assert.equal(response.status, "completed");
    assert.equal(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens);
  });

  test(`${model}: the stream helper puts a response together`, async () => {
    const pieces = [];
    const stream = client.responses.stream({ model, input });
    stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
    const whole = await stream.finalResponse();
    assert.equal(whole.output_text, SAY);
    assert.equal(pieces.join(""), SAY);
    assert.ok(pieces.length > 3);
  });

  for (const stored of [true, false]) {
    test(`${model}: tools are called, and their results heard, history kept by the gateway: ${stored}`, async () => {
      const question = { role: "user", content: "What is the weather in Paris and in Rome? Use get_weather." };
      const ask = { model, tools: [weather], store: stored };
      const first = await client.responses.create({ ...ask, input: [question] });
      const calls = first.output.filter((item) => item.type === "function_call");
      assert.deepEqual(calls.map((call) => call.arguments), ['{"city":"Paris"}', '{"city":"Rome"}']);
      const results = calls.map(({ call_id, arguments: text }) => {
        return { type: "function_call_output", call_id, output: weatherIn(JSON.parse(text)) };
      });
      const next = stored
        ? { previous_response_id: first.id, input: results }
        : { input: [question, ...first.output, ...results] };
      const last = await client.responses.create({ ...ask, ...next });
      assert.match(last.output_text, /Paris: 17 degrees.*Rome: 17 degrees/s);
    });
  }

  test(`${model}: a schema is filled in`, async () => {
    const text = { format: { type: "json_schema", name: "place", strict: true, schema: place } };
    const response = await client.responses.parse({ model, input: "I live in Lisbon", text });
    assert.deepEqual(response.output_parsed, { city: "Lisbon" });
  });
}

test("a response is kept until it is deleted", async () => {
  const made = await client.responses.create({ model: "instant", input });
  assert.equal((await client.responses.retrieve(made.id)).output_text, SAY);
  await client.responses.delete(made.id);
  await assert.rejects(client.responses.retrieve(made.id), NotFoundError);
});

for (const model of broken) {
  test(`${model}: a response that breaks is never completed`, async () => {
    const kinds = [];
    try {
      for await (const event of client.responses.stream({ model, input })) kinds.push(event.type);
    } catch (error) {
      // Before the first event it is an answer with an error status; later the helper reads "failed" as an end.
      assert.ok(error instanceof APIError, `${error}`);
      kinds.push("error");
    }
    assert.ok(["error", "response.failed"].includes(kinds.at(-1)), kinds.join());
    assert.ok(!kinds.includes("response.completed"));
  });
}

for (const model of ["sim/embed", "lab/embed"]) {
  for (const encoding_format of ["float", "base64", undefined]) {
    test(`${model}: texts become vectors, encoded as ${encoding_format}`, async () => {
      const { data, usage } = await client.embeddings.create({ model, input: ["one", "two", "one"], encoding_format });
      const vectors = data.map((row) => row.embedding);
      if (encoding_format !== "base64") assert.deepEqual(vectors.map((vector) => vector.length), [64, 64, 64]);
      assert.deepEqual(vectors[0], vectors[2]);
      assert.notDeepEqual(vectors[0], vectors[1]);
      assert.ok(usage.total_tokens > 0);
    });
  }
}

test("a text is judged", async () => {
  const { results } = await client.moderations.create({ model: "lab/instant", input: "Hello" });
  assert.equal(results[0].flagged, false);
});

test("a response that is given up ends in the gateway", async () => {
  const stream = await client.responses.create({ model: "lab/stall", input, stream: true });
  for await (const event of stream) if (event.type === "response.output_text.delta") break;
  await settled();
});
