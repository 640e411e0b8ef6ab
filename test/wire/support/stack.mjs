// Our peer-to-peer stack as a process ($WIRE_PEER, else beside $NEURITE or in build/dev), with
// websockets opened for it here. What peer.c says about its pipes holds here as well.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
/** @type {any} */
const WebSocket = require("ws");

const beside =
  process.env.NEURITE ?? fileURLToPath(new URL("../../../build/dev/x", import.meta.url));
const program = process.env.WIRE_PEER ?? path.join(path.dirname(beside), "wire_peer");
const HEAD = 13;
const ROOM = 1024 * 1024;

/** @typedef {{ status: number, body: Buffer }} Answer */

/** One process; its addresses and answers as they come. */
export class Stack {
  /**
   * @param {number} seed names the key
   * @param {string[]} urls of relays, ws://
   */
  constructor(seed, ...urls) {
    this.id = "";
    /** @type {Set<string>} */
    this.seen = new Set();
    /** @type {string[]} */
    this.gone = [];
    /** @type {string[]} */
    this.requests = [];
    /** Every byte that a relay got or gave, in order. @type {Buffer[]} */
    this.passed = [];
    /** Changes a binary message on its way in. @type {((bytes: Buffer) => Buffer) | undefined} */
    this.tamper = undefined;
    /** @type {Map<bigint, any>} */
    this.sockets = new Map();
    /** @type {Map<bigint, (answer: Answer) => void>} */
    this.calls = new Map();
    /** @type {(() => void)[]} */
    this.watchers = [];
    this.nextCall = 1n;
    this.stderr = "";
    this.input = Buffer.alloc(0);
    this.child = spawn(program, [String(seed), ...urls]);
    this.child.stdout.on("data", (data) => this.read(data));
    this.child.stderr.on("data", (data) => (this.stderr += data));
    this.child.stdin.on("error", () => {});
  }

  /** @param {string} kind @param {bigint} id @param {Buffer} bytes */
  write(kind, id, bytes = Buffer.alloc(0)) {
    const head = Buffer.alloc(HEAD);
    head.writeUInt32BE(bytes.length + HEAD - 4, 0);
    head.write(kind, 4, "latin1");
    head.writeBigUInt64BE(id, 5);
    this.child.stdin.write(Buffer.concat([head, bytes]));
  }

  /** @param {Buffer} data */
  read(data) {
    this.input = Buffer.concat([this.input, data]);
    while (this.input.length >= HEAD) {
      const size = this.input.readUInt32BE(0) + 4;
      if (this.input.length < size) break;
      const frame = this.input.subarray(0, size);
      this.input = this.input.subarray(size);
      this.take(
        String.fromCharCode(frame[4]),
        frame.readBigUInt64BE(5),
        Buffer.from(frame.subarray(HEAD)),
      );
    }
    for (const watch of this.watchers) watch();
  }

  /** @param {string} kind @param {bigint} id @param {Buffer} bytes */
  take(kind, id, bytes) {
    const text = bytes.toString("latin1");
    if (kind === "d") this.open(id, text);
    else if (kind === "t" || kind === "b") this.send(id, bytes, kind === "b");
    else if (kind === "c") this.sockets.get(id)?.terminate();
    else if (kind === "p") this.id = text;
    else if (kind === "s") this.seen.add(text);
    else if (kind === "g") this.gone.push(text);
    else if (kind === "r") this.requests.push(text);
    else if (kind === "a") {
      const at = bytes.indexOf(" ");
      const answer = { status: Number(text.slice(0, at)), body: bytes.subarray(at + 1) };
      this.calls.get(id)?.(answer);
      this.calls.delete(id);
    }
  }

  /** @param {bigint} id @param {string} url */
  open(id, url) {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.sockets.set(id, socket);
    socket.on("open", () => this.write("U", id));
    socket.on("message", (/** @type {string | Buffer} */ data) => {
      const isText = typeof data === "string";
      /** @type {Buffer} */
      let bytes = Buffer.from(data);
      this.passed.push(bytes);
      if (!isText && this.tamper) bytes = this.tamper(bytes);
      this.write(isText ? "T" : "B", id, bytes);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.sockets.delete(id);
      this.write("D", id);
    });
  }

  /** @param {bigint} id @param {Buffer} bytes @param {boolean} isBinary */
  send(id, bytes, isBinary) {
    const socket = this.sockets.get(id);
    if (socket === undefined) return;
    this.passed.push(bytes);
    socket.send(isBinary ? bytes : bytes.toString("utf8"), () => {
      const room = Math.max(0, ROOM - socket.bufferedAmount);
      this.write("R", id, Buffer.from(String(room)));
    });
  }

  /**
   * Waits until the condition holds.
   * @param {() => boolean} condition
   * @param {string} what it is, for the failure
   */
  async until(condition, what) {
    if (condition()) return;
    await new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`not in time: ${what} ${this.stderr}`)),
        40000,
      );
      const watch = () => {
        if (!condition()) return;
        clearTimeout(late);
        this.watchers = this.watchers.filter((other) => other !== watch);
        resolve(undefined);
      };
      this.watchers.push(watch);
    });
  }

  /** Waits until a peer was announced. @param {{ id: string } | { name: string }} peer */
  sees(peer) {
    const id = "id" in peer ? peer.id : peer.name;
    return this.until(() => [...this.seen].some((a) => a.endsWith(`/ipfs/${id}`)), `sees ${id}`);
  }

  /**
   * A request to a peer; resolves to its answer, status 0 when it failed.
   * @param {string} to peer id
   * @param {Buffer} body
   * @returns {Promise<Answer>}
   */
  call(to, body = Buffer.alloc(0)) {
    const id = this.nextCall;
    this.nextCall += 1n;
    const head = `PUT /echo HTTP/1.1\r\nhost: ${to}\r\ncontent-length: ${body.length}\r\n\r\n`;
    return new Promise((resolve) => {
      this.calls.set(id, resolve);
      this.write("C", id, Buffer.concat([Buffer.from(to + head), body]));
    });
  }

  /** Ends the process; resolves to its exit code (a sanitizer's finding is not 0). */
  async end() {
    if (this.child.exitCode !== null) return this.child.exitCode;
    this.child.stdin.end();
    const [code] = await once(this.child, "exit");
    for (const socket of this.sockets.values()) socket.terminate();
    return code;
  }
}
