/** The native homeserver as a program. */
import { Server } from "../../test/client/matrix.mjs";
import { Program } from "../../test/client/program.mjs";

export class Native extends Server {
  /**
   * @param {Program} program
   * @param {string} base
   * @param {string} name
   */
  constructor(program, base, name) {
    super(base);
    this.program = program;
    this.name = name;
  }

  /**
   * Starts one on a port of its own choice.
   *
   * @param {string} neurite
   * @param {string} data its directory
   * @param {string} relay ws://HOST:PORT
   */
  static async start(neurite, data, relay) {
    const args = ["--listen", "127.0.0.1:0", "--data", data, "--relay", relay];
    const program = new Program(neurite, args);
    const [, name] = await program.says(/^Server name (\S+)$/m);
    const [, base] = await program.says(/^Listening on (http:\S+)$/m);
    return new Native(program, base, name);
  }

  /** Ends it as an administrator does. @returns {Promise<number | null>} its exit status */
  async stop() {
    return (await this.program.stop()).code;
  }
}
