// Relays as processes: ours ($RENDEZVOUS, else build/dev/rendezvous) and npm's.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const START_MS = 30000;

/** @typedef {"ours" | "npm"} Kind */

/** The relays that a test runs against: both, or the one that RELAY names. */
export const relays = /** @type {Kind[]} */ (
  process.env.RELAY ? [process.env.RELAY] : ["ours", "npm"]
);

export const program =
  process.env.RENDEZVOUS ??
  fileURLToPath(new URL("../../../build/dev/rendezvous", import.meta.url));

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  server.close();
  await once(server, "close");
  return address.port;
}

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set();
// A test that fails leaves no relay behind, which would keep its file from ending.
after(() => children.forEach((child) => child.kill("SIGKILL")));

/** One relay, which can be stopped and started again on its port. */
export class Relay {
  /**
   * @param {Kind} kind
   * @param {number} port
   * @param {string[]} args
   */
  constructor(kind, port, args) {
    this.kind = kind;
    this.port = port;
    this.args = args;
    /** @type {import("node:child_process").ChildProcess | undefined} */
    this.child = undefined;
    this.stdout = "";
    this.stderr = "";
  }

  /**
   * @param {Kind} kind
   * @param {string[]} args
   */
  static async start(kind, ...args) {
    const relay = new Relay(kind, await freePort(), args);
    await relay.up();
    return relay;
  }

  async up() {
    const words = [`--port=${this.port}`, "--host=127.0.0.1", ...this.args];
    const npm = () => require.resolve("libp2p-websocket-star-rendezvous/src/bin.js");
    const child =
      this.kind === "ours"
        ? spawn(program, words)
        : // Its metrics kill it on the first unknown path.
          spawn(process.execPath, [npm(), "--disableMetrics", ...words]);
    this.child = child;
    children.add(child);
    child.on("exit", () => children.delete(child));
    child.stderr.on("data", (data) => (this.stderr += data));
    child.stdout.on("data", (data) => (this.stdout += data));
    const lines = createInterface({ input: child.stdout });
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the relay does not start")), START_MS);
      lines.on("line", (line) => line.startsWith("Listening on:") && resolve(clearTimeout(late)));
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`the relay ended: ${code} ${this.stderr}`)));
    });
  }

  /**
   * Ends the process; resolves to its exit code. A sanitizer's finding is an exit code of its own.
   * @param {NodeJS.Signals} signal
   */
  async down(signal = "SIGINT") {
    const child = this.child;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** @param {string} peerId */
  address(peerId) {
    return `/ip4/127.0.0.1/tcp/${this.port}/ws/p2p-websocket-star/ipfs/${peerId}`;
  }
}
