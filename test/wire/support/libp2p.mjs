// A peer made of js-libp2p's own layers (multistream-select, Noise, yamux) on npm's websocket-star
// client, answering and making HTTP/1.1 requests on their streams by hand.
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { privateKeyFromRaw } from "@libp2p/crypto/keys";
import { defaultLogger } from "@libp2p/logger";
import { handle, select } from "@libp2p/multistream-select";
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id";
import { Peer, makeId } from "./star.mjs";

const PIECE = 50000;
const options = { log: defaultLogger().forComponent("wire") };

/** @typedef {import("./relay.mjs").Relay} Relay */

/**
 * A pull-stream connection as the pair of async iterables that js-libp2p takes.
 * @param {any} connection
 * @returns {any}
 */
function duplex(connection) {
  const read = () =>
    new Promise((resolve) =>
      connection.source(null, (/** @type {any} */ end, /** @type {any} */ data) =>
        resolve(end ? undefined : data),
      ),
    );
  return {
    source: (async function* () {
      for (let data = await read(); data !== undefined; data = await read()) {
        if (data.length > 0) yield new Uint8Array(data);
      }
    })(),
    sink: async (/** @type {AsyncIterable<any>} */ source) => {
      const iterator = source[Symbol.asyncIterator]();
      connection.sink((/** @type {any} */ abort, /** @type {any} */ done) => {
        if (abort) {
          iterator.return?.();
          done(abort);
          return;
        }
        iterator
          .next()
          .then(
            (next) => (next.done ? done(true) : done(null, Buffer.from(next.value.subarray()))),
            done,
          );
      });
    },
    close: async () => {},
    abort: () => {},
    ...options,
  };
}

/** @param {string} head @param {Buffer} body */
async function* message(head, body) {
  yield Buffer.from(head);
  for (let at = 0; at < body.length; at += PIECE) yield body.subarray(at, at + PIECE);
}

/**
 * Reads until the bytes satisfy, or the stream ends.
 * @param {any} stream
 * @param {(got: Buffer) => boolean} isEnough
 */
async function read(stream, isEnough) {
  let got = Buffer.alloc(0);
  for await (const chunk of stream.source) {
    got = Buffer.concat([got, chunk.subarray()]);
    if (isEnough(got)) break;
  }
  return got;
}

/** @param {Buffer} got */
const bodyOf = (got) => got.subarray(got.indexOf("\r\n\r\n") + 4);

/** @param {Buffer} got */
function isWholeRequest(got) {
  const length = /content-length: (\d+)/.exec(got.toString("latin1"));
  return got.includes("\r\n\r\n") && length !== null && bodyOf(got).length >= Number(length[1]);
}

/** A joined peer that sends every request's body back. */
export class Libp2pPeer {
  /**
   * @param {Peer} star
   * @param {any} key
   * @param {boolean} isEarly the multiplexer is agreed on within the Noise handshake
   */
  constructor(star, key, isEarly) {
    this.star = star;
    this.name = star.name;
    /** Who dialled us, as Noise proved it. @type {string[]} */
    this.remotes = [];
    /** How multiplexers were found. @type {Set<string>} */
    this.muxers = new Set();
    this.isEarly = isEarly;
    /** @type {any} */
    this.yamux = yamux()({ logger: defaultLogger() });
    const upgrader = { getStreamMuxers: () => new Map([["/yamux/1.0.0", this.yamux]]) };
    this.noise = noise()(
      /** @type {any} */ ({
        privateKey: key,
        peerId: peerIdFromPrivateKey(key),
        logger: defaultLogger(),
        upgrader,
      }),
    );
    void this.accept();
  }

  /**
   * @param {Relay} relay
   * @param {boolean} isEarly
   */
  static async join(relay, isEarly) {
    const id = await makeId("ed25519");
    const star = new Peer(relay, id);
    await star.listen();
    return new Libp2pPeer(star, privateKeyFromRaw(id.privKey.marshal().slice(0, 64)), isEarly);
  }

  async accept() {
    while (true) {
      const connection = await this.star.connections.next();
      const { stream } = await handle(duplex(connection), ["/noise"], options);
      const skip = { skipStreamMuxerNegotiation: !this.isEarly };
      const secured = await this.noise.secureInbound(stream, skip);
      this.remotes.push(String(secured.remotePeer));
      await this.mux(secured, "inbound");
    }
  }

  /** @param {any} secured @param {"inbound" | "outbound"} direction */
  async mux(secured, direction) {
    let connection = secured.conn;
    this.muxers.add(secured.streamMuxer === undefined ? "multistream" : "noise");
    if (secured.streamMuxer === undefined) {
      const agree = direction === "inbound" ? handle : select;
      connection = (await agree(connection, ["/yamux/1.0.0"], options)).stream;
    }
    const onIncomingStream = (/** @type {any} */ stream) => {
      this.serve(stream).catch(() => stream.abort(new Error("no request")));
    };
    const muxer = this.yamux.createStreamMuxer({ direction, onIncomingStream });
    Promise.all([muxer.sink(connection.source), connection.sink(muxer.source)]).catch(() => {});
    return muxer;
  }

  /** As js-libp2p's server answers: no length, the body ends with the stream. @param {any} raw */
  async serve(raw) {
    const { stream } = await handle(raw, ["/http/1.1"], options);
    const body = bodyOf(await read(stream, isWholeRequest));
    await stream.sink(message("HTTP/1.1 200 \r\nconnection: close\r\n\r\n", body));
  }

  /**
   * @param {{ address: string }} to
   * @param {string} id its peer id
   */
  async dial(to, id) {
    const connection = duplex(await this.star.dial(to));
    const { stream } = await select(connection, ["/noise"], options);
    const secured = await this.noise.secureOutbound(stream, {
      remotePeer: /** @type {any} */ (peerIdFromString(id)),
      skipStreamMuxerNegotiation: !this.isEarly,
    });
    return this.mux(secured, "outbound");
  }

  /**
   * A request over a dialled connection; resolves to the head's first line and the body.
   * @param {any} muxer
   * @param {Buffer} body
   */
  async call(muxer, body) {
    const { stream } = await select(await muxer.newStream(), ["/http/1.1"], options);
    const answer = read(stream, () => false);
    const head = `PUT /echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
    await stream.sink(message(head, body));
    const got = await answer;
    return { line: got.toString("latin1").split("\r\n")[0], body: bodyOf(got) };
  }

  /** Proposes a protocol; resolves to whether it was taken. @param {any} muxer @param {string} protocol */
  async speaks(muxer, protocol) {
    const stream = await muxer.newStream();
    return select(stream, [protocol], options).then(
      () => true,
      () => false,
    );
  }

  end() {
    this.star.end();
  }
}
