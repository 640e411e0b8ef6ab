/** `make demo` where something else is in its way. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const demo = path.join(fileURLToPath(new URL("../..", import.meta.url)), "scripts/demo.sh");

/** @param {string} address */
async function listen(address) {
  const server = net.createServer().listen(0, address);
  await once(server, "listening");
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { server, port: String(port) };
}

/**
 * @param {Record<string, string>} env
 * @returns {Promise<{ code: unknown, output: string }>}
 */
function run(env) {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } };
    execFile(demo, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

for (const [variable, other, address] of [
  ["WEB_PORT", "RELAY_PORT", "127.0.0.1"],
  ["WEB_PORT", "RELAY_PORT", "0.0.0.0"],
  ["RELAY_PORT", "WEB_PORT", "127.0.0.1"],
]) {
  test(`with the port of ${variable} taken at ${address}, make demo says so and builds nothing`, async () => {
    const taken = await listen(address);
    const free = await listen("127.0.0.1");
    free.server.close();
    await once(free.server, "close");
    const { code, output } = await run({ [variable]: taken.port, [other]: free.port, ONCE: "1" });
    taken.server.close();
    assert.equal(code, 1, output);
    const last = output.trimEnd().split("\n").at(-1) ?? "";
    assert.match(
      last,
      new RegExp(`^demo: port ${taken.port} is taken.*${variable}=\\d+ make demo$`),
    );
    assert.doesNotMatch(output, /is ready|npm|cmake|ninja/);
  });
}
