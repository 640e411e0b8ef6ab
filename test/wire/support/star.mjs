// The real client, libp2p-websocket-star 0.10.2, with promises around it.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const crypto = require("libp2p-crypto");
const multiaddr = require("multiaddr");
const PeerId = require("peer-id");
const pull = require("pull-stream");
const WebsocketStar = require("libp2p-websocket-star");

/** @typedef {import("./relay.mjs").Relay} Relay */
/** @typedef {{source: any, sink: any}} Duplex */
/** @typedef {"ed25519" | "rsa" | "secp256k1"} KeyType */

/**
 * @param {(done: (error: any, value?: any) => void) => any} call
 * @returns {Promise<any>}
 */
const promise = (call) =>
  new Promise((resolve, reject) => {
    call((error, value) =>
      error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve(value),
    );
  });

/**
 * @param {KeyType} type
 * @returns {Promise<any>} a PeerId
 */
export async function makeId(type) {
  const key = await promise((done) => crypto.keys.generateKeyPair(type, 2048, done));
  const bytes = crypto.keys.marshalPrivateKey(key, type);
  return promise((done) => PeerId.createFromPrivKey(bytes, done));
}

/** Values as they come; next() waits for one. */
class Queue {
  constructor() {
    /** @type {any[]} */
    this.values = [];
    /** @type {((value: any) => void)[]} */
    this.waiting = [];
  }

  /** @param {any} value */
  push(value) {
    const first = this.waiting.shift();
    if (first) first(value);
    else this.values.push(value);
  }

  /** @returns {Promise<any>} */
  next() {
    return this.values.length > 0
      ? Promise.resolve(this.values.shift())
      : new Promise((resolve) => this.waiting.push(resolve));
  }

  clear() {
    this.values = [];
  }
}

/** A client with one listener at one relay. */
export class Peer {
  /**
   * @param {Relay} relay
   * @param {any} id the PeerId it has
   * @param {{allowJoinWithDisabledChallenge?: boolean, name?: string}} options name: the id it claims
   */
  constructor(relay, id, options = {}) {
    this.name = options.name ?? id.toB58String();
    this.address = relay.address(this.name);
    this.star = new WebsocketStar({ id, ...options });
    this.discovered = new Queue(); // peer ids
    this.connections = new Queue();
    this.star.discovery.on("peer", (/** @type {any} */ info) =>
      this.discovered.push(info.id.toB58String()),
    );
    this.listener = this.star.createListener((/** @type {Duplex} */ connection) =>
      this.connections.push(connection),
    );
    this.listener.on("error", () => {}); // the callback of listen() says it as well
  }

  /**
   * @param {Relay} relay
   * @param {KeyType} type
   */
  static async join(relay, type = "ed25519") {
    const peer = new Peer(relay, await makeId(type));
    await peer.listen();
    return peer;
  }

  listen() {
    return promise((done) => this.listener.listen(multiaddr(this.address), done));
  }

  /**
   * @param {{address: string}} other
   * @returns {Promise<Duplex>}
   */
  dial(other) {
    return promise((done) => this.star.dial(multiaddr(other.address), done));
  }

  /** Waits until a peer of that name was seen. @param {Peer} other */
  async discovers(other) {
    let name = await this.discovered.next();
    while (name !== other.name) name = await this.discovered.next();
  }

  close() {
    return promise((done) => this.listener.close(done));
  }

  /** Ends the socket whatever is open on it. */
  end() {
    this.listener.io?.disconnect();
  }
}

/**
 * Writes the buffers and ends that half.
 * @param {Duplex} connection
 * @param {Buffer[]} buffers
 */
export const send = (connection, ...buffers) => pull(pull.values(buffers), connection.sink);

/**
 * Reads to the end of the other half.
 * @param {Duplex} connection
 * @returns {Promise<Buffer>}
 */
export const receive = async (connection) =>
  Buffer.concat(await promise((done) => pull(connection.source, pull.collect(done))));

/** @param {Duplex} connection */
export const echo = (connection) => pull(connection.source, connection.sink);

/**
 * Bytes that a sends to b and gets back from its echo, in pieces of 64 KiB.
 *
 * @param {Peer} a
 * @param {Peer} b
 * @param {Buffer} sent
 * @returns {Promise<Buffer>} what came back
 */
export async function bounce(a, b, sent) {
  const accepted = b.connections.next().then(echo);
  const connection = await a.dial(b);
  await accepted;
  const received = receive(connection);
  const chunks = [];
  for (let at = 0; at < sent.length; at += 65536) chunks.push(sent.subarray(at, at + 65536));
  send(connection, ...chunks);
  return received;
}
