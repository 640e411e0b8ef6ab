/** Programs that a test or a measurement starts: what they say, and their end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";

const READY_MS = 30_000;
const LOOK_MS = 20;

/** @type {Set<Program>} */
const running = new Set();
// Whoever started them may end by an error; they end with it.
process.on("exit", () => running.forEach((program) => program.child.kill("SIGKILL")));

/** A program that runs, and what it wrote. */
export class Program {
  output = "";

  /**
   * @param {string} file
   * @param {string[]} args
   */
  constructor(file, args) {
    this.child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child.on("error", (error) => (this.output += error));
    running.add(this);
    /** Resolves when it has ended and all it wrote is read. @type {Promise<unknown>} */
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    this.ended.then(() => running.delete(this));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
  }

  get pid() {
    return this.child.pid ?? 0;
  }

  get hasEnded() {
    const { exitCode, signalCode, pid } = this.child;
    return exitCode !== null || signalCode !== null || pid === undefined;
  }

  /**
   * Looks until it finds something; throws with the output when the program ends before, or takes too
   * long.
   *
   * @template T
   * @param {() => T | null | Promise<T | null>} look
   * @returns {Promise<T>}
   */
  async until(look) {
    for (const end = Date.now() + READY_MS; ;) {
      const had = this.hasEnded;
      const found = await look();
      if (found) {
        return found;
      }
      if (had || Date.now() > end) {
        const why = had ? "it ended" : "it is not ready";
        throw new Error(`${this.child.spawnfile}: ${why}: ${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /**
   * Waits for a line of output.
   *
   * @param {RegExp} pattern
   */
  says(pattern) {
    return this.until(() => pattern.exec(this.output));
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    if (!this.hasEnded) {
      this.child.kill(signal);
    }
    await this.ended;
    return { code: this.child.exitCode, signal: this.child.signalCode, output: this.output };
  }

  /** Ends it as an administrator does. */
  stop() {
    return this.end("SIGTERM");
  }

  /** Ends it as a power cut would. */
  kill() {
    return this.end("SIGKILL");
  }
}

/** Ends whatever still runs, above all of a test that failed. */
export async function endPrograms() {
  await Promise.all([...running].map((program) => program.kill()));
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>} whether somebody listens there
 */
export async function isOpen(port) {
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
