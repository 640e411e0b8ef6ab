/**
 * The native programs that tests of the worker meet: the relay and another homeserver. Where they are:
 * RENDEZVOUS and NEURITE, else build/.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("../..", import.meta.url));
const NEURITE = process.env.NEURITE ?? `${top}build/neurite`;
const RENDEZVOUS = process.env.RENDEZVOUS ?? `${top}build/rendezvous`;
const READY_MS = 30_000;
const LOOK_MS = 20;

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

  async stop() {
    if (this.#child.exitCode === null && this.#child.pid !== undefined) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "close");
    }
  }
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

/** @param {number} port */
export async function startRelay(port) {
  if (await isOpen(port)) {
    throw new Error(`port ${port} is taken`);
  }
  const program = new Program(RENDEZVOUS, [`--port=${port}`, "--host=127.0.0.1"]);
  await program.until(() => isOpen(port));
  return { port, url: `ws://127.0.0.1:${port}`, stop: () => program.stop() };
}

/**
 * A native homeserver, at a port of its own choice.
 *
 * @param {string} data its folder
 * @param {string} relay
 */
export async function startNeurite(data, relay) {
  const program = new Program(NEURITE, [
    ...["--listen", "127.0.0.1:0", "--data", data, "--relay", relay],
    ...["--password-memory-kib", "8", "--no-rate-limits"],
  ]);
  const [, base] = await program.until(() => /^Listening on (http:\S+)$/m.exec(program.output));
  return { base, stop: () => program.stop() };
}
