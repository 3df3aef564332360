// Ollama's own Node client against a live gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { GATEWAY, KEY, SAY, broken, cities, hello, home, models, place, riddle, settled, weatherIn } from "./asks.mjs";

const client = new Ollama({ host: GATEWAY, headers: { authorization: `Bearer ${KEY}` } });
const weather = { type: "function", function: { name: "get_weather", description: "The weather.", parameters: place } };

for (const model of models) {
  test(`${model}: a plain answer`, async () => {
    const answer = await client.chat({ model, messages: riddle });
    assert.equal(answer.message.content, SAY);
    assert.equal(answer.done, true);
    assert.equal(answer.done_reason, "stop");
    assert.ok(answer.prompt_eval_count > 0 && answer.eval_count > 0);
  });

  test(`${model}: a streamed answer is done at its end only`, async () => {
    const parts = await Array.fromAsync(await client.chat({ model, messages: riddle, stream: true }));
    assert.equal(parts.map((part) => part.message.content).join(""), SAY);
    assert.ok(parts.length > 3);
    assert.deepEqual(parts.map((part) => part.done), [...parts.slice(1).map(() => false), true]);
  });

  test(`${model}: a prompt is continued, plain and streamed`, async () => {
    const prompt = `Say: ${SAY}`;
    assert.equal((await client.generate({ model, prompt })).response, SAY);
    const parts = await Array.fromAsync(await client.generate({ model, prompt, stream: true }));
    assert.equal(parts.map((part) => part.response).join(""), SAY);
  });

  for (const stream of [false, true]) {
    test(`${model}: tools are called, and their results heard, stream: ${stream}`, async () => {
      const ask = async (messages) => {
        const answer = await client.chat({ model, messages, tools: [weather], stream });
        const parts = stream ? await Array.fromAsync(answer) : [answer];
        const content = parts.map((part) => part.message.content).join("");
        return { role: "assistant", content, tool_calls: parts.flatMap((part) => part.message.tool_calls ?? []) };
      };
      const message = await ask(cities);
      const inputs = message.tool_calls.map((call) => call.function.arguments);
      assert.deepEqual(inputs, [{ city: "Paris" }, { city: "Rome" }]);
      const results = inputs.map((input) => ({ role: "tool", tool_name: "get_weather", content: weatherIn(input) }));
      const last = await ask([...cities, message, ...results]);
      assert.match(last.content, /Paris: 17 degrees.*Rome: 17 degrees/s);
    });
  }

  test(`${model}: a schema is filled in`, async () => {
    const answer = await client.chat({ model, messages: home, format: place });
    assert.deepEqual(JSON.parse(answer.message.content), { city: "Lisbon" });
  });
}

for (const model of ["sim/embed", "lab/embed"]) {
  test(`${model}: texts become vectors`, async () => {
    const { embeddings } = await client.embed({ model, input: ["one", "two", "one"] });
    assert.deepEqual(embeddings.map((vector) => vector.length), [64, 64, 64]);
    assert.deepEqual(embeddings[0], embeddings[2]);
    assert.notDeepEqual(embeddings[0], embeddings[1]);
    assert.equal((await client.embeddings({ model, prompt: "one" })).embedding.length, 64);
  });
}

test("the models are listed and shown", async () => {
  const names = (await client.list()).models.map((model) => model.name);
  assert.ok(names.some((name) => name.startsWith("sim/instant")));
  assert.ok((await client.show({ model: "sim/instant" })).capabilities.includes("completion"));
  assert.ok(Array.isArray((await client.ps()).models));
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
});

const failures = [
  [{ options: { temperature: "hot" } }, 400],
  [{ model: "nothing" }, 404],
  [{ model: "lab/error-429" }, 429],
  [{ model: "lab/error-500" }, 502],
  [{ model: "hasty/silent", stream: true }, 504],
];
for (const [body, status] of failures) {
  test(`${JSON.stringify(body)} is an error with status ${status}`, async () => {
    await assert.rejects(client.chat({ model: "instant", messages: hello, ...body }), (error) => {
      assert.equal(error.name, "ResponseError");
      assert.equal(error.status_code, status);
      assert.ok(error.message);
      return true;
    });
  });
}

test("a key is refused where it must be", async () => {
  const wrong = new Ollama({ host: GATEWAY, headers: { authorization: "Bearer dg-wrong" } });
  await assert.rejects(wrong.chat({ model: "instant", messages: hello }), { status_code: 401 });
});

for (const model of broken) {
  test(`${model}: a stream that breaks raises and is never done`, async () => {
    const parts = [];
    await assert.rejects(async () => {
      for await (const part of await client.chat({ model, messages: riddle, stream: true })) parts.push(part);
    });
    assert.ok(parts.every((part) => !part.done));
  });
}

test("a call that is given up ends in the gateway", async () => {
  const stream = await client.chat({ model: "lab/stall", messages: riddle, stream: true });
  await assert.rejects(
    async () => {
      for await (const _part of stream) stream.abort();
    },
    { name: "AbortError" },
  );
  await settled();
});
