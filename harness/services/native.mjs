/** The native homeserver as a program. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Server } from "../../test/client/matrix.mjs";

const READY_MS = 30_000;

export class Native extends Server {
  /**
   * @param {import("node:child_process").ChildProcess} child
   * @param {string} base
   * @param {string} name
   */
  constructor(child, base, name) {
    super(base);
    this.child = child;
    this.name = name;
  }

  /**
   * Starts one on a port of its own choice.
   *
   * @param {string} program
   * @param {string} data its directory
   * @param {string} relay ws://HOST:PORT
   */
  static async start(program, data, relay) {
    const args = ["--listen", "127.0.0.1:0", "--data", data, "--relay", relay];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (/** @type {Buffer} */ text) => (said += text));
    }
    const end = AbortSignal.timeout(READY_MS);
    for (;;) {
      const name = /^Server name (\S+)$/m.exec(said)?.[1];
      const base = /^Listening on (http:\S+)$/m.exec(said)?.[1];
      if (name && base) {
        return new Native(child, base, name);
      }
      try {
        await Promise.race([
          once(child.stdout, "data", { signal: end }),
          once(child, "close").then(() => Promise.reject(new Error("it ended"))),
        ]);
      } catch (cause) {
        child.kill();
        throw new Error(`${program} does not start: ${said}`, { cause });
      }
    }
  }

  /** Ends it as an administrator does. @returns {Promise<number | null>} its exit status */
  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "close");
    }
    return this.child.exitCode;
  }
}
