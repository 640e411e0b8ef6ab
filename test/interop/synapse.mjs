/** A real Synapse beside native Neurites, each with a certificate of one authority. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import { Server } from "../client/matrix.mjs";
import { freePort } from "../client/program.mjs";
import { scratch, startNeurite } from "../client/servers.mjs";

const run = promisify(execFile);
const top = path.resolve(import.meta.dirname, "../..");
const script = path.join(top, "scripts/synapse.sh");

/** Where the Synapse is set up, and the first of three ports. */
const DIR = process.env.INTEROP_DIR ?? path.join(top, "build/interop");
const PORT = Number(process.env.INTEROP_PORT ?? 18700);
const NAME = `localhost:${PORT + 1}`;

/** Synapse's own patience, ten minutes, is more than a test has, and its directory would stay empty. */
const EXTRA = `room_list_publication_rules: [{action: allow}]
federation:
  max_short_retries: 1
  max_short_retry_delay: 100
  destination_min_retry_interval: 500
  destination_max_retry_interval: 1s
`;

/**
 * @param {string} command of scripts/synapse.sh
 * @param {string[]} args
 */
const synapse = (command, ...args) => {
  const more = { SYNAPSE_BCRYPT_ROUNDS: "4", SYNAPSE_EXTRA: path.join(DIR, "extra.yaml") };
  return run(script, [command, ...args], { env: { ...process.env, ...more } });
};

/** A sentence why there can be no Synapse here; undefined: there can. */
export async function whyNot() {
  try {
    await synapse("can");
    return undefined;
  } catch (error) {
    return /** @type {{ stdout: string }} */ (error).stdout.trim();
  }
}

/** The way to a server, which a test may cut: what comes to one port goes on to another. */
class Way {
  /**
   * @param {number} port
   * @param {number} to
   */
  constructor(port, to) {
    this.port = port;
    /** @type {Set<net.Socket>} */
    this.sockets = new Set();
    this.server = net.createServer((outside) => {
      const inside = net.connect(to, "127.0.0.1");
      for (const socket of [outside, inside]) {
        this.sockets.add(socket);
        socket.on("error", () => {}); // its close follows
        socket.on("close", () => {
          this.sockets.delete(socket);
          outside.destroy();
          inside.destroy();
        });
      }
      outside.pipe(inside).pipe(outside);
    });
  }

  async open() {
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
  }

  async cut() {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await closed;
  }
}

/** A native server behind a way of its own, and how it is started again. */
export async function startOurs() {
  const [outside, inside] = [await freePort(), await freePort()];
  const name = `localhost:${outside}`;
  await synapse("certificate", DIR, name);
  const at = (/** @type {string} */ end) => path.join(DIR, "ca", `${name}.${end}`);
  const flags = ["--server-name", name, "--federation-listen", `127.0.0.1:${inside}`];
  const files = ["--tls-cert", at("crt"), "--tls-key", at("key")];
  const trust = ["--federation-ca", path.join(DIR, "ca/ca.crt"), "--federation-allow-loopback"];
  const data = await scratch();
  const start = () => startNeurite(data, [...flags, ...files, ...trust]);
  const way = new Way(outside, inside);
  await way.open();
  return { name, way, start, server: await start() };
}

/** A Synapse with an empty database behind a way of its own. */
export async function startTheirs() {
  const inside = await freePort();
  await mkdir(DIR, { recursive: true });
  await writeFile(path.join(DIR, "extra.yaml"), EXTRA);
  await synapse("setup", DIR, String(PORT), NAME, String(inside));
  await synapse("reset", DIR);
  const way = new Way(PORT + 1, inside);
  await way.open();
  await synapse("start", DIR);
  const stop = async () => {
    await way.cut();
    await synapse("stop", DIR);
  };
  return { name: NAME, way, stop, server: new Server(`http://127.0.0.1:${PORT}`) };
}
