/** A real Synapse beside a native Neurite, each with a certificate of one authority. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

import { Server } from "../client/matrix.mjs";
import { scratch, startNeurite } from "../client/servers.mjs";

const run = promisify(execFile);
const top = path.resolve(import.meta.dirname, "../..");
const script = path.join(top, "scripts/synapse.sh");

/** Where the Synapse is set up, and the first of four ports. */
const DIR = process.env.INTEROP_DIR ?? path.join(top, "build/interop");
const PORT = Number(process.env.INTEROP_PORT ?? 18700);

/**
 * @param {string} command of scripts/synapse.sh
 * @param {string[]} args
 */
const synapse = (command, ...args) =>
  run(script, [command, ...args], { env: { ...process.env, SYNAPSE_BCRYPT_ROUNDS: "4" } });

/** A sentence why there can be no Synapse here; undefined: there can. */
export async function whyNot() {
  try {
    await synapse("can");
    return undefined;
  } catch (error) {
    return /** @type {{ stdout: string }} */ (error).stdout.trim();
  }
}

/** Both servers, new, and how each is stopped and started again. */
export async function startBoth() {
  const names = { synapse: `localhost:${PORT + 1}`, neurite: `localhost:${PORT + 2}` };
  await synapse("setup", DIR, String(PORT), names.synapse, String(PORT + 1));
  await synapse("reset", DIR);
  await synapse("certificate", DIR, names.neurite);
  const at = (/** @type {string} */ end) => path.join(DIR, "ca", `${names.neurite}.${end}`);
  const data = await scratch();
  const flags = ["--server-name", names.neurite, "--federation-listen", `127.0.0.1:${PORT + 2}`];
  const files = ["--tls-cert", at("crt"), "--tls-key", at("key")];
  const trust = ["--federation-ca", path.join(DIR, "ca/ca.crt"), "--federation-allow-loopback"];
  const startOurs = () => startNeurite(data, [...flags, ...files, ...trust]);
  await synapse("start", DIR);
  const ours = await startOurs();
  return {
    names,
    ours,
    theirs: new Server(`http://127.0.0.1:${PORT}`),
    startOurs,
    startTheirs: () => synapse("start", DIR),
    stopTheirs: () => synapse("stop", DIR),
  };
}
