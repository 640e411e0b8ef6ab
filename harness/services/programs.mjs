/**
 * The programs that the browsers meet, and that are measured: the relay, homeservers, nginx. Where ours
 * are: RENDEZVOUS and NEURITE, else build/.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const top = fileURLToPath(new URL("../..", import.meta.url));
const NEURITE = process.env.NEURITE ?? `${top}build/neurite`;
const RENDEZVOUS = process.env.RENDEZVOUS ?? `${top}build/rendezvous`;
const READY_MS = 30_000;
const LOOK_MS = 20;

/** @type {Set<Program>} */
const running = new Set();
// Whoever started them may end by an error; they end with it.
process.on("exit", () => running.forEach((program) => program.kill()));

/** Ends what a test has left, above all one that failed. */
export async function stopPrograms() {
  await Promise.all([...running].map((program) => program.stop()));
}

class Program {
  output = "";
  #child;

  /**
   * @param {string} file
   * @param {string[]} args
   */
  constructor(file, args) {
    this.#child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.on("error", (error) => (this.output += error));
    running.add(this);
    this.#child.on("close", () => running.delete(this));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
  }

  /**
   * @template T
   * @param {() => T | null | Promise<T | null>} look
   * @returns {Promise<T>} the first thing it finds
   */
  async until(look) {
    for (const end = Date.now() + READY_MS; ;) {
      const found = await look();
      if (found) {
        return found;
      }
      if (Date.now() > end || this.#child.exitCode !== null || this.#child.pid === undefined) {
        throw new Error(`it is not ready: ${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  kill() {
    this.#child.kill();
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "close");
    }
  }
}

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
 * @returns {Promise<boolean>}
 */
async function isOpen(port) {
  const socket = net.connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
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
 */
export async function startNeurite(data, relay) {
  const program = new Program(NEURITE, [
    ...["--listen", "127.0.0.1:0", "--data", data],
    ...(relay === undefined ? [] : ["--relay", relay]),
    ...["--password-memory-kib", "8", "--no-rate-limits"],
  ]);
  const [, base] = await program.until(() => /^Listening on (http:\S+)$/m.exec(program.output));
  return { base, pid: program.pid, stop: () => program.stop() };
}

/**
 * Nginx as the stack has it, with the client of build/riot.
 *
 * @param {string} prefix a folder that it writes to
 * @param {number} port
 * @param {number} relay the relay's port
 */
export async function startWeb(prefix, port, relay) {
  const program = new Program("env", [
    ...[`WEB_PORT=${port}`, "WEB_ADDR=127.0.0.1", `RELAY_ADDR=127.0.0.1:${relay}`],
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
