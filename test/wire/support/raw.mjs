// A websocket-star client in raw frames, for what a real client never sends.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";

const OPEN_MS = 10000;
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** @param {Buffer} bytes */
function base58(bytes) {
  let n = BigInt("0x" + bytes.toString("hex"));
  let text = "";
  for (; n > 0n; n /= 58n) text = ALPHABET[Number(n % 58n)] + text;
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) text = "1" + text;
  return text;
}

/** An ed25519 identity that is the same each time for the same name. @param {string} name */
export function identity(name) {
  const seed = createHash("sha256").update(name).digest();
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
  const key = Buffer.concat([Buffer.from("08011220", "hex"), spki.subarray(-32)]);
  return {
    id: base58(Buffer.concat([Buffer.from([0, key.length]), key])),
    key: key.toString("hex"),
    /** @param {string} text */
    sign: (text) => sign(null, Buffer.from(text), secret).toString("hex"),
  };
}

/**
 * A client's frame, masked with zeros.
 * @param {number} opcode
 * @param {Buffer | string} payload
 * @param {{first?: number}} options first: the whole first byte instead
 */
export function frame(opcode, payload, { first = 0x80 | opcode } = {}) {
  const body = Buffer.from(payload);
  const n = body.length;
  const head = Buffer.alloc(n < 126 ? 2 : n < 65536 ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (n < 126 ? n : n < 65536 ? 126 : 127);
  if (n >= 65536) head.writeBigUInt64BE(BigInt(n), 2);
  else if (n >= 126) head.writeUInt16BE(n, 2);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}

/** @param {string} text */
export const text = (text) => frame(1, text);
/** @param {Buffer | string} bytes */
export const binary = (bytes) => frame(2, Buffer.concat([Buffer.from([4]), Buffer.from(bytes)]));

/** What arrived: a text, a binary message, a close with its code (0: none), or the end. */
/** @typedef {{kind: "text" | "binary" | "close" | "pong" | "end", text: string, code?: number}} Heard */

export class Raw {
  /**
   * @param {import("./relay.mjs").Relay} relay
   * @param {string} from the address that the relay sees
   */
  constructor(relay, from = "127.0.0.1") {
    this.relay = relay;
    this.socket = connect({
      host: "127.0.0.1",
      port: relay.port,
      localAddress: from,
      noDelay: true,
    });
    this.received = Buffer.alloc(0);
    this.upgraded = false;
    /** @type {Heard[]} */
    this.heard = [];
    /** @type {((heard: Heard) => void)[]} */
    this.waiting = [];
    this.asked = 0;
    this.address = "";
    this.socket.on("error", () => {});
    this.socket.on("data", (data) => this.read(/** @type {Buffer} */ (data)));
    this.socket.on("close", () => {
      const end = /** @type {Heard} */ ({ kind: "end", text: "" });
      this.heard.push(end);
      for (const waiting of this.waiting.splice(0)) waiting(end);
    });
  }

  /**
   * Opens a websocket and takes the two first messages.
   * @param {import("./relay.mjs").Relay} relay
   */
  static async open(relay, query = "EIO=3&transport=websocket", from = "127.0.0.1") {
    const raw = new Raw(relay, from);
    await once(raw.socket, "connect");
    const key = randomBytes(16).toString("base64");
    raw.socket.write(
      `GET /socket.io/?${query} HTTP/1.1\r\nHost: 127.0.0.1:${relay.port}\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        `Sec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const late = setTimeout(() => raw.socket.destroy(new Error("no handshake")), OPEN_MS);
    const open = await raw.next();
    const connect40 = await raw.next();
    clearTimeout(late);
    if (!open.text.startsWith("0{") || connect40.text !== "40") {
      throw new Error(`odd start: ${open.text} ${connect40.text}`);
    }
    return raw;
  }

  /** @param {Heard} heard */
  hears(heard) {
    const first = this.waiting.shift();
    if (first) first(heard);
    else this.heard.push(heard);
  }

  /** @returns {Promise<Heard>} */
  next() {
    const first = this.heard[0]?.kind === "end" ? this.heard[0] : this.heard.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** The next message that is not an announcement, as text. */
  async says() {
    let heard = await this.next();
    while (heard.text.startsWith('42["ws-peer"')) heard = await this.next();
    return heard.kind === "text" ? heard.text : `${heard.kind} ${heard.code ?? heard.text}`;
  }

  /** @param {Buffer} data */
  read(data) {
    this.received = Buffer.concat([this.received, data]);
    if (!this.upgraded) {
      const end = this.received.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.upgraded = this.received.toString("latin1", 0, 12) === "HTTP/1.1 101";
      this.received = this.received.subarray(end + 4);
    }
    while (this.upgraded && this.readFrame()) {
      // until there is no whole frame left
    }
  }

  readFrame() {
    const b = this.received;
    if (b.length < 2) return false;
    const short = b[1] & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (b.length < head) return false;
    const n =
      short < 126 ? short : short === 126 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));
    if (b.length < head + n) return false;
    const payload = b.subarray(head, head + n);
    this.received = b.subarray(head + n);
    const opcode = b[0] & 15;
    if (opcode === 1) this.hears({ kind: "text", text: payload.toString() });
    else if (opcode === 2) this.hears({ kind: "binary", text: payload.toString("hex") });
    else if (opcode === 10) this.hears({ kind: "pong", text: payload.toString() });
    else this.hears({ kind: "close", text: "", code: n >= 2 ? payload.readUInt16BE(0) : 0 });
    return true;
  }

  /** @param {Buffer} bytes */
  write(bytes) {
    return this.socket.write(bytes);
  }

  /** @param {...any} event */
  emit(...event) {
    this.write(text("42" + JSON.stringify(event)));
  }

  /**
   * Sends an event with an ack id and waits for that ack.
   * @param {...any} event
   * @returns {Promise<any[]>}
   */
  async ask(...event) {
    const id = this.asked++;
    this.write(text(`42${id}${JSON.stringify(event)}`));
    const others = [];
    for (;;) {
      const heard = await this.next();
      if (heard.kind === "end") throw new Error("the relay hung up");
      if (heard.kind === "text" && heard.text.startsWith(`43${id}[`)) {
        this.heard.unshift(...others);
        return JSON.parse(heard.text.slice(`43${id}`.length));
      }
      others.push(heard);
    }
  }

  /** @param {string} name */
  async join(name) {
    const self = identity(name);
    this.address = this.relay.address(self.id);
    const [error, nonce] = await this.ask("ss-join", this.address, self.key);
    if (error) throw new Error(JSON.stringify(error));
    const joined = await this.ask("ss-join", this.address, self.sign(nonce));
    if (joined[0]) throw new Error(JSON.stringify(joined[0]));
    return joined[2];
  }

  /**
   * A stream to another client, accepted by both.
   * @param {Raw} other
   * @param {string} id
   */
  async dial(other, id) {
    const dialed = this.ask("ss-dial", this.address, other.address, id);
    const ring = /^42(\d+)\["ss-incomming"/.exec(await other.says());
    if (ring === null) throw new Error("no ss-incomming");
    other.emit(`socket.io-pull-stream.accept.${id}.dialer`);
    other.write(text(`43${ring[1]}[]`));
    const [error] = await dialed;
    if (error) throw new Error(error);
    this.emit(`socket.io-pull-stream.accept.${id}.listener`);
    if ((await this.says()) !== `42["socket.io-pull-stream.accept.${id}.dialer"]`) {
      throw new Error("no accept for the dialer");
    }
    if ((await other.says()) !== `42["socket.io-pull-stream.accept.${id}.listener"]`) {
      throw new Error("no accept for the listener");
    }
  }

  end() {
    this.socket.destroy();
  }
}

/** @param {string} half e.g. "ID.dialer" @param {Buffer} bytes */
export const chunk = (half, bytes) =>
  Buffer.concat([
    text(`451-["socket.io-pull-stream.queue.${half}",{"_placeholder":true,"num":0}]`),
    binary(bytes),
  ]);
