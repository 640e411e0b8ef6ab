/**
 * The programs that the browsers meet, and that are measured: the relay, homeservers, nginx. Where ours
 * are: RENDEZVOUS and NEURITE, else build/.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isOpen, Program } from "../../test/client/program.mjs";

const run = promisify(execFile);
const top = fileURLToPath(new URL("../..", import.meta.url));
const NEURITE = process.env.NEURITE ?? `${top}build/neurite`;
const RENDEZVOUS = process.env.RENDEZVOUS ?? `${top}build/rendezvous`;

/**
 * Runs the native homeserver's command to its end.
 *
 * @param {string[]} args
 */
export async function runNeurite(...args) {
  const { stdout } = await run(NEURITE, args);
  return stdout;
}

/**
 * @param {number} port
 * @param {string[]} command what starts it, if it is not ours
 */
export async function startRelay(port, command = [RENDEZVOUS]) {
  if (await isOpen(port)) {
    throw new Error(`port ${port} is taken`);
  }
  const [file, ...args] = command;
  const program = new Program(file, [...args, `--port=${port}`, "--host=127.0.0.1"]);
  await program.until(() => isOpen(port));
  const { pid } = program;
  return { port, pid, url: `ws://127.0.0.1:${port}`, stop: () => program.stop() };
}

/**
 * A native homeserver, at a port of its own choice.
 *
 * @param {string} data its folder
 * @param {string} [relay]
 * @param {string[]} [more] arguments
 */
export async function startNeurite(data, relay, more = []) {
  const program = new Program(NEURITE, [
    ...["--listen", "127.0.0.1:0", "--data", data],
    ...(relay === undefined ? [] : ["--relay", relay]),
    ...["--password-memory-kib", "8", "--no-rate-limits"],
    ...more,
  ]);
  const [, base] = await program.says(/^Listening on (http:\S+)$/m);
  return { base, pid: program.pid, stop: () => program.stop() };
}

/**
 * Nginx as the stack has it, with the client of build/riot.
 *
 * @param {string} prefix a folder that it writes to
 * @param {number} port
 * @param {number} relay the relay's port
 * @param {Record<string, string>} [settings] more of what web/run-nginx.sh takes
 */
export async function startWeb(prefix, port, relay, settings = {}) {
  const program = new Program("env", [
    ...[`WEB_PORT=${port}`, "WEB_ADDR=127.0.0.1", `RELAY_ADDR=127.0.0.1:${relay}`],
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ...[`${top}web/run-nginx.sh`, prefix],
  ]);
  await program.until(() => isOpen(port));
  return { origin: `http://localhost:${port}`, stop: () => program.stop() };
}

/**
 * A Synapse that scripts/synapse.sh has set up.
 *
 * @param {string} folder
 */
export async function startSynapse(folder) {
  const script = `${top}scripts/synapse.sh`;
  const { stdout } = await run(script, ["start", folder]);
  const [, base, pid] = /^(http:\S+) (\d+)$/m.exec(stdout) ?? [];
  if (base === undefined) {
    throw new Error(`${script} start ${folder} said ${stdout}`);
  }
  return { base, pid: Number(pid), stop: () => run(script, ["stop", folder]) };
}
