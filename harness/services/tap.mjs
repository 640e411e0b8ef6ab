/** A wire with an ear on it: between a peer and its relay, where it can also spoil what passes. */
import { WebSocket, WebSocketServer } from "ws";
import { once } from "node:events";

/** What was heard, whoever said it. */
export class Recorder {
  /** @type {Buffer[]} */
  #parts = [];

  /** @param {Buffer} bytes */
  hear(bytes) {
    this.#parts.push(Buffer.from(bytes));
  }

  get size() {
    return this.#parts.reduce((sum, part) => sum + part.length, 0);
  }

  /** @param {string} text */
  has(text) {
    return Buffer.concat(this.#parts).includes(text);
  }
}

export class Tap {
  recorder = new Recorder();
  /** How many binary messages were spoilt. */
  spoilt = 0;
  /** How often somebody was dialled through here. */
  dials = 0;
  #spoils = false;
  #server;
  /** @type {Set<WebSocket>} */
  #sockets = new Set();

  /** @param {string} relay ws://HOST:PORT */
  constructor(relay) {
    this.relay = relay;
    this.#server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
    this.#server.on("connection", (near, request) => this.#join(near, request.url ?? "/"));
  }

  async start() {
    if (this.#server.address() === null) {
      await once(this.#server, "listening");
    }
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.#server.address());
    return `ws://127.0.0.1:${port}`;
  }

  /** The next message with a peer's bytes has one bit changed. */
  spoilNext() {
    this.#spoils = true;
  }

  /**
   * @param {WebSocket} near the peer
   * @param {string} path
   */
  #join(near, path) {
    const far = new WebSocket(this.relay + path, { perMessageDeflate: false });
    /** @type {[Buffer, boolean][]} */
    const early = [];
    const pass = (/** @type {Buffer} */ bytes, /** @type {boolean} */ isBinary) =>
      far.readyState === WebSocket.OPEN
        ? far.send(bytes, { binary: isBinary })
        : early.push([bytes, isBinary]);
    far.on("open", () => early.splice(0).forEach(([bytes, isBinary]) => pass(bytes, isBinary)));
    near.on("message", (data, isBinary) => {
      const bytes = /** @type {Buffer} */ (data);
      this.#hear(bytes, isBinary);
      pass(bytes, isBinary);
    });
    far.on("message", (data, isBinary) => {
      const bytes = Buffer.from(/** @type {Buffer} */ (data));
      this.#hear(bytes, isBinary);
      // Long enough to hold bytes of a message, and not only what frames them.
      if (isBinary && this.#spoils && bytes.length > 64) {
        bytes[bytes.length >> 1] ^= 1;
        this.#spoils = false;
        this.spoilt += 1;
      }
      near.send(bytes, { binary: isBinary });
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.close();
      });
    }
  }

  /** @param {Buffer} bytes @param {boolean} isBinary */
  #hear(bytes, isBinary) {
    this.recorder.hear(bytes);
    if (!isBinary && /"ss-(dial|incomming)"/.test(bytes.toString())) {
      this.dials += 1;
    }
  }

  async stop() {
    this.#sockets.forEach((socket) => socket.terminate());
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
