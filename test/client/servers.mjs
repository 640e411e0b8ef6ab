/**
 * Starts and ends the programs under test. Where they are: NEURITE, RENDEZVOUS (ours) and
 * RENDEZVOUS_NPM (the script of libp2p-websocket-star-rendezvous), else build/.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { Server } from "./matrix.mjs";
import { endPrograms, freePort, isOpen, Program } from "./program.mjs";

const top = fileURLToPath(new URL("../..", import.meta.url));
const NEURITE = process.env.NEURITE ?? path.join(top, "build/neurite");
const RENDEZVOUS = process.env.RENDEZVOUS ?? path.join(top, "build/rendezvous");

/** @type {string[]} */
const directories = [];

/** Whatever the tests of a file leave behind, failed or not, goes with its end. */
after(async () => {
  await endPrograms();
  for (const dir of directories) {
    await rm(dir, { recursive: true, force: true });
  }
});

/** A directory that is gone after the file's tests. */
export async function scratch() {
  const dir = await mkdtemp(path.join(os.tmpdir(), "neurite-"));
  directories.push(dir);
  return dir;
}

/** A running `neurite`. */
export class Neurite extends Server {
  /**
   * @param {Program} program
   * @param {string} base
   * @param {string} name
   * @param {string} data
   */
  constructor(program, base, name, data) {
    super(base);
    this.program = program;
    this.name = name;
    this.data = data;
  }

  stop() {
    return this.program.stop();
  }

  /** As a power cut would end the process. */
  kill() {
    return this.program.kill();
  }
}

/**
 * Starts a homeserver on a port of its own choice and waits until it listens.
 * @param {string} data its directory
 * @param {string[]} [args]
 * @param {string[]} [through] a command that runs it, with its own arguments
 */
export async function startNeurite(data, args = [], through = []) {
  const [command, ...words] = [
    ...through,
    ...[NEURITE, "--listen", "127.0.0.1:0", "--data", data],
    ...["--password-memory-kib", "8", "--no-rate-limits"],
    ...args,
  ];
  const program = new Program(command, words);
  const [, name] = await program.says(/^Server name (\S+)$/m);
  const [, base] = await program.says(/^Listening on (http:\S+)$/m);
  return new Neurite(program, base, name, data);
}

/**
 * Runs a program to its end.
 * @param {string[]} args
 */
export async function runNeurite(args) {
  const program = new Program(NEURITE, args);
  await program.ended;
  return { code: program.child.exitCode, output: program.output };
}

/**
 * A file system of its own at `dir`, of so many bytes, in memory: `through` runs a command where it is
 * mounted, and this process reaches it at `seen`. Wants root. It is gone with the file's tests.
 * @param {string} dir
 * @param {number} bytes
 */
export async function smallDisk(dir, bytes) {
  const script =
    'mount -t tmpfs -o "size=$1" neurite "$2" && echo mounted && exec tail -f /dev/null';
  const holder = new Program("unshare", ["-m", "sh", "-c", script, "sh", String(bytes), dir]);
  await holder.says(/^mounted$/m);
  const pid = String(holder.child.pid);
  const through = ["nsenter", "--mount", "--target", pid, "--"];
  const resize = async (/** @type {number} */ size) => {
    const [command, ...words] = [...through, "mount", "-o", `remount,size=${size}`, dir];
    const mount = new Program(command, words);
    await mount.ended;
    if (mount.child.exitCode !== 0) {
      throw new Error(`the disk does not grow: ${mount.output}`);
    }
  };
  return { seen: path.join("/proc", pid, "root", dir), through, resize };
}

/** The relays there are to test with. */
export const relays = process.env.RENDEZVOUS_NPM === undefined ? ["ours"] : ["ours", "npm"];

/**
 * Starts a relay and waits until it accepts.
 * @param {string} kind of `relays`
 * @param {number} [at] a port; else one that is free
 * @param {string[]} [more] arguments
 */
export async function startRelay(kind, at, more = []) {
  const port = at ?? (await freePort());
  const args = [`--port=${port}`, "--host=127.0.0.1", ...more];
  const program =
    kind === "npm"
      ? new Program(process.execPath, [process.env.RENDEZVOUS_NPM ?? "", ...args])
      : new Program(RENDEZVOUS, args);
  await program.until(() => isOpen(port));
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    stop: () => program.stop(),
    kill: () => program.kill(),
  };
}

/**
 * Starts the server that the relays of a cluster meet at.
 * @param {number} [at] a port; else one that is free
 */
export async function startNats(at) {
  const port = at ?? (await freePort());
  const program = new Program("nats-server", ["-a", "127.0.0.1", "-p", String(port)]);
  await program.says(/Server is ready/);
  return { url: `nats://127.0.0.1:${port}`, port, kill: () => program.kill() };
}
