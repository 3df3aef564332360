// What the clients ask, and where; the address and the keys of a live gateway are in the environment.

export const { GATEWAY, KEY, GUEST_KEY } = process.env;
// The simulator inside the gateway's process, and the one that it reaches over a real connection.
export const models = ["sim/instant", "lab/instant"];
export const SAY = "The quick brown fox jumps over the lazy dog.";
export const riddle = [{ role: "user", content: `Say: ${SAY}` }];
export const hello = [{ role: "user", content: "Hello" }];
export const home = [{ role: "user", content: "I live in Lisbon" }];
export const cities = [{ role: "user", content: "What is the weather in Paris and in Rome? Use get_weather." }];
export const place = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
// Models whose answers end before they are complete.
export const broken = ["sim/cut", "lab/cut", "lab/eof", "lab/malformed", "lab/error-midstream", "hasty/stall"];

export function weatherIn({ city }) {
  return `${city}: 17 degrees`;
}

// Waits until the gateway has nothing under way; fails when that takes long.
export async function settled() {
  const end = performance.now() + 10_000;
  while ((await (await fetch(`${GATEWAY}/health`)).json()).in_flight > 0) {
    if (performance.now() > end) throw new Error("calls are still under way");
  }
}
