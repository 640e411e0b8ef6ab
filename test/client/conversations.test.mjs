/** Every conversation against one native server. */
import { after, before, test } from "node:test";

import { conversations } from "./conversations/index.mjs";
import { scratch, startNeurite } from "./servers.mjs";

/** @type {import("./servers.mjs").Neurite} */
let server;
const dir = await scratch();

before(async () => {
  server = await startNeurite(dir);
});

after(async () => {
  await server.stop();
});

for (const { name, run } of conversations) {
  test(name, { timeout: 60_000 }, () => run({ server }));
}
