/**
 * A peer of the relay in plain JavaScript, independent of the C it talks to: websocket-star, then
 * multistream-select, Noise XX, yamux, and HTTP/1.1 on its streams. It only dials; who dials it is
 * refused.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";

const STREAM = "socket.io-pull-stream";
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const WITHIN_MS = 30_000;
const WINDOW = 256 * 1024;
const NOISE_MAX = 65_519;
const TAG = 16;
const DATA = 0;
const UPDATE = 1;
const PING = 2;
const SYN = 1;
const ACK = 2;
const FIN = 4;
const RST = 8;

/** @typedef {import("node:crypto").KeyObject} Key */

/** @param {Buffer} bytes */
export function base58(bytes) {
  let n = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (; n > 0n; n /= 58n) {
    text = ALPHABET[Number(n % 58n)] + text;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros) + text;
}

/** @param {Key} key @returns {Buffer} its 32 bytes, which end its DER form */
const raw = (key) => createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);

/** @param {"ed25519" | "x25519"} type @param {Buffer} bytes @returns {Key} */
function publicKey(type, bytes) {
  const oid = type === "ed25519" ? 0x70 : 0x6e;
  const head = Buffer.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, oid, 0x03, 0x21, 0x00]);
  const der = Buffer.concat([head, bytes]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

/** Who a peer is: an ed25519 key, and the name made of it. */
export class Identity {
  #secret;

  constructor() {
    const der = Buffer.from("302e020100300506032b657004220420", "hex");
    const key = Buffer.concat([der, randomBytes(32)]);
    this.#secret = createPrivateKey({ key, format: "der", type: "pkcs8" });
    /** The public key as libp2p writes it. */
    this.key = Buffer.concat([Buffer.from("08011220", "hex"), raw(this.#secret)]);
    this.id = base58(Buffer.concat([Buffer.from([0, this.key.length]), this.key]));
  }

  /** @param {Buffer | string} bytes */
  sign(bytes) {
    return sign(null, Buffer.from(bytes), this.#secret);
  }
}

/** Bytes as they come; take() waits until there are enough. */
class Inbox {
  #bytes = Buffer.alloc(0);
  /** @type {(() => void)[]} */
  #waiting = [];
  #trouble = "";

  /** @param {Buffer} bytes */
  put(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#wake();
  }

  /** @param {string} why nothing more comes */
  end(why) {
    this.#trouble ||= why;
    this.#wake();
  }

  #wake() {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  /** @param {number} n */
  async take(n) {
    while (this.#bytes.length < n) {
      if (this.#trouble) {
        throw new Error(this.#trouble);
      }
      await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    }
    const taken = this.#bytes.subarray(0, n);
    this.#bytes = this.#bytes.subarray(n);
    return taken;
  }

  /** Everything up to the end. */
  async rest() {
    while (!this.#trouble) {
      await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
    }
    return this.#bytes;
  }
}

/**
 * The initiator's side of multistream-select.
 *
 * @param {(bytes: Buffer) => void} write
 * @param {Inbox} inbox
 * @param {string} protocol
 */
async function select(write, inbox, protocol) {
  const line = (/** @type {string} */ text) =>
    Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)]);
  write(Buffer.concat([line("/multistream/1.0.0"), line(protocol)]));
  for (const wanted of ["/multistream/1.0.0", protocol]) {
    const [length] = await inbox.take(1);
    const text = (await inbox.take(length)).toString().trimEnd();
    if (text !== wanted) {
      throw new Error(`the peer says ${text}, not ${wanted}`);
    }
  }
}

/** A key and the number of the next message under it. */
class Cipher {
  #counter = 0n;

  /** @param {Buffer} key */
  constructor(key) {
    this.key = key;
  }

  #nonce() {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64LE(this.#counter, 4);
    this.#counter += 1n;
    return nonce;
  }

  /** @param {Buffer} text @param {Buffer} [ad] */
  seal(text, ad = Buffer.alloc(0)) {
    const options = { authTagLength: TAG };
    const cipher = createCipheriv("chacha20-poly1305", this.key, this.#nonce(), options);
    cipher.setAAD(ad, { plaintextLength: text.length });
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }

  /** @param {Buffer} sealed @param {Buffer} [ad] */
  open(sealed, ad = Buffer.alloc(0)) {
    const options = { authTagLength: TAG };
    const cipher = createDecipheriv("chacha20-poly1305", this.key, this.#nonce(), options);
    cipher.setAAD(ad, { plaintextLength: sealed.length - TAG });
    cipher.setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
  }
}

/** @param {...Buffer} parts */
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();

/** @param {Buffer} salt @param {Buffer} secret @returns {[Buffer, Buffer]} */
function hkdf(salt, secret) {
  const mac = (/** @type {Buffer} */ key, /** @type {Buffer} */ bytes) =>
    createHmac("sha256", key).update(bytes).digest();
  const temporary = mac(salt, secret);
  const first = mac(temporary, Buffer.from([1]));
  return [first, mac(temporary, Buffer.concat([first, Buffer.from([2])]))];
}

/**
 * The initiator's side of Noise XX.
 *
 * @param {(bytes: Buffer) => void} write
 * @param {Inbox} inbox
 * @param {Identity} identity
 * @param {string} wanted the peer's id
 * @returns {Promise<{ outward: Cipher, inward: Cipher }>}
 */
async function handshake(write, inbox, identity, wanted) {
  /** @type {Buffer} */
  let chain = Buffer.from("Noise_XX_25519_ChaChaPoly_SHA256");
  /** @type {Buffer} */
  let hash = sha256(chain);
  let cipher = new Cipher(Buffer.alloc(32));
  const mix = (/** @type {Buffer} */ bytes) => {
    hash = sha256(hash, bytes);
  };
  const mixKey = (/** @type {Key} */ privateKey, /** @type {Buffer} */ bytes) => {
    const secret = diffieHellman({ privateKey, publicKey: publicKey("x25519", bytes) });
    const [next, key] = hkdf(chain, secret);
    chain = next;
    cipher = new Cipher(key);
  };
  const seal = (/** @type {Buffer} */ text) => {
    const sealed = cipher.seal(text, hash);
    mix(sealed);
    return sealed;
  };
  const open = (/** @type {Buffer} */ sealed) => {
    const text = cipher.open(sealed, hash);
    mix(sealed);
    return text;
  };
  const framed = (/** @type {Buffer} */ bytes) =>
    Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);

  const ephemeral = generateKeyPairSync("x25519").privateKey;
  const fixed = generateKeyPairSync("x25519").privateKey;
  mix(raw(ephemeral));
  mix(Buffer.alloc(0));
  write(framed(raw(ephemeral)));

  const answer = await inbox.take((await inbox.take(2)).readUInt16BE());
  const theirs = answer.subarray(0, 32);
  mix(theirs);
  mixKey(ephemeral, theirs);
  const theirFixed = open(answer.subarray(32, 80));
  mixKey(ephemeral, theirFixed);
  checkPayload(open(answer.subarray(80)), theirFixed, wanted);

  const ours = seal(raw(fixed));
  mixKey(fixed, theirs);
  const proof = identity.sign(Buffer.concat([Buffer.from("noise-libp2p-static-key:"), raw(fixed)]));
  const payload = Buffer.concat([
    Buffer.from([0x0a, identity.key.length]),
    identity.key,
    Buffer.from([0x12, proof.length]),
    proof,
  ]);
  write(framed(Buffer.concat([ours, seal(payload)])));
  const [outward, inward] = hkdf(chain, Buffer.alloc(0));
  return { outward: new Cipher(outward), inward: new Cipher(inward) };
}

/**
 * @param {Buffer} payload protobuf: 1 key, 2 signature
 * @param {Buffer} fixed the key that is signed
 * @param {string} wanted
 */
function checkPayload(payload, fixed, wanted) {
  const key = payload.subarray(2, 2 + payload[1]);
  const at = 2 + payload[1];
  const signature = payload.subarray(at + 2, at + 2 + payload[at + 1]);
  if (base58(Buffer.concat([Buffer.from([0, key.length]), key])) !== wanted) {
    throw new Error("another peer answered");
  }
  const signed = Buffer.concat([Buffer.from("noise-libp2p-static-key:"), fixed]);
  if (!verify(null, signed, publicKey("ed25519", key.subarray(-32)), signature)) {
    throw new Error("the peer does not have the key that it shows");
  }
}

/** A connection to one peer. */
class Connection {
  /** @type {Map<number, { inbox: Inbox, room: number, wake: () => void }>} */
  #streams = new Map();
  #next = 1;
  #write;
  #ciphers;

  /**
   * @param {(bytes: Buffer) => void} write
   * @param {{ outward: Cipher, inward: Cipher }} ciphers
   */
  constructor(write, ciphers) {
    this.#write = write;
    this.#ciphers = ciphers;
  }

  /** @param {Buffer} bytes any number of them, in Noise messages */
  sealed(bytes) {
    for (let at = 0; at < bytes.length; at += NOISE_MAX) {
      const text = this.#ciphers.outward.seal(bytes.subarray(at, at + NOISE_MAX));
      this.#write(Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), text]));
    }
  }

  /** @param {Inbox} from the relay @param {Inbox} to what was in the messages */
  async unseal(from, to) {
    try {
      for (;;) {
        const size = (await from.take(2)).readUInt16BE();
        to.put(this.#ciphers.inward.open(await from.take(size)));
      }
    } catch (error) {
      to.end(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {number} type @param {number} flags @param {number} id @param {number} n @param {Buffer} [body] */
  #frame(type, flags, id, n, body = Buffer.alloc(0)) {
    const head = Buffer.alloc(12);
    head[1] = type;
    head.writeUInt16BE(flags, 2);
    head.writeUInt32BE(id, 4);
    head.writeUInt32BE(n, 8);
    this.sealed(Buffer.concat([head, body]));
  }

  /** Takes frames until the connection ends. @param {Inbox} inbox */
  async run(inbox) {
    try {
      for (;;) {
        const head = await inbox.take(12);
        const [type, flags] = [head[1], head.readUInt16BE(2)];
        const [id, n] = [head.readUInt32BE(4), head.readUInt32BE(8)];
        const stream = this.#streams.get(id);
        if (type === DATA) {
          const body = await inbox.take(n);
          stream?.inbox.put(Buffer.from(body));
          if (n > 0) {
            this.#frame(UPDATE, 0, id, n);
          }
        } else if (type === UPDATE && stream) {
          stream.room += n;
          stream.wake();
        } else if (type === PING && flags === SYN) {
          this.#frame(PING, ACK, 0, n);
        }
        if (flags & (FIN | RST) && type <= UPDATE) {
          stream?.inbox.end(flags & RST ? "the peer reset the stream" : "the stream has ended");
        }
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#streams.forEach(({ inbox: waiting }) => waiting.end(why));
    }
  }

  /**
   * One HTTP exchange on a stream of its own.
   *
   * @param {string} head of the request, with its blank line
   * @param {Buffer} body
   * @returns {Promise<{ status: number, type: string, body: Buffer }>} type: of its content
   */
  async exchange(head, body) {
    const id = this.#next;
    this.#next += 2;
    const stream = { inbox: new Inbox(), room: WINDOW, wake: () => {} };
    this.#streams.set(id, stream);
    this.#frame(UPDATE, SYN, id, 0);
    const write = (/** @type {Buffer} */ bytes) => {
      stream.room -= bytes.length;
      this.#frame(DATA, 0, id, bytes.length, bytes);
    };
    await select(write, stream.inbox, "/http/1.1");
    const request = Buffer.concat([Buffer.from(head), body]);
    for (let at = 0; at < request.length;) {
      while (stream.room === 0) {
        await new Promise((resolve) => (stream.wake = () => resolve(undefined)));
      }
      const part = request.subarray(at, at + Math.min(stream.room, 32 * 1024));
      write(part);
      at += part.length;
    }
    this.#frame(UPDATE, FIN, id, 0);
    const answer = await stream.inbox.rest();
    this.#streams.delete(id);
    const end = answer.indexOf("\r\n\r\n");
    if (end < 0) {
      throw new Error(`no answer, but ${answer.length} bytes`);
    }
    const lines = answer.subarray(0, end).toString().split("\r\n");
    const type = lines.find((line) => /^content-type:/i.test(line)) ?? "content-type:";
    return {
      status: Number(lines[0].split(" ")[1]),
      type: type.slice(type.indexOf(":") + 1).trim(),
      body: answer.subarray(end + 4),
    };
  }
}

/** A peer at one relay. */
export class Peer {
  identity = new Identity();
  /** Addresses of others, as they were announced. @type {Set<string>} */
  seen = new Set();
  /** @type {Map<number, (args: any[]) => void>} */
  #acks = new Map();
  #ack = 0;
  /** @type {Map<string, Inbox>} by name of the stream's half */
  #halves = new Map();
  /** @type {string | null} of the half that a binary message comes for */
  #binaryFor = null;
  /** @type {WebSocket} */
  #socket;
  #address;
  /** @type {NodeJS.Timeout | undefined} */
  #pings;

  /** @param {string} relay ws://HOST:PORT */
  constructor(relay) {
    const { hostname, port } = new URL(relay);
    const kind = /^[\d.]+$/.test(hostname) ? "ip4" : "dns4";
    const id = this.identity.id;
    this.#address = `/${kind}/${hostname}/tcp/${port}/ws/p2p-websocket-star/ipfs/${id}`;
    this.#socket = new WebSocket(`${relay}/socket.io/?EIO=3&transport=websocket`, {
      perMessageDeflate: false,
    });
    this.#socket.on("message", (data, isBinary) => this.#take(data, isBinary));
  }

  /** Joins the relay. */
  async join() {
    await once(this.#socket, "open");
    this.#pings = setInterval(() => this.#socket.send("2"), 20_000);
    const [refused, nonce] = await this.#ask(
      "ss-join",
      this.#address,
      this.identity.key.toString("hex"),
    );
    if (refused) {
      throw new Error(`the relay says ${JSON.stringify(refused)}`);
    }
    const proof = this.identity.sign(nonce).toString("hex");
    const [, , others] = await this.#ask("ss-join", this.#address, proof);
    others.forEach((/** @type {string} */ one) => this.seen.add(one));
  }

  close() {
    clearInterval(this.#pings);
    this.#socket.close();
  }

  /** @param {...unknown} args @returns {Promise<any[]>} */
  #ask(...args) {
    const id = this.#ack;
    this.#ack += 1;
    this.#socket.send(`42${id}${JSON.stringify(args)}`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${args[0]}`)), WITHIN_MS);
      this.#acks.set(id, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
  }

  /** @param {import("ws").RawData} data @param {boolean} isBinary */
  #take(data, isBinary) {
    const bytes = /** @type {Buffer} */ (data);
    if (isBinary) {
      this.#halves.get(this.#binaryFor ?? "")?.put(Buffer.from(bytes.subarray(1)));
      return;
    }
    const match = /^4([235])(?:1-)?(\d*)(\[.*\])$/s.exec(bytes.toString());
    if (!match) {
      return;
    }
    const [, kind, id, text] = match;
    const args = JSON.parse(text);
    if (kind === "3") {
      this.#acks.get(Number(id))?.(args);
      this.#acks.delete(Number(id));
      return;
    }
    const [name] = args;
    const half = name.split(".").slice(3).join(".");
    if (name === "ws-peer") {
      this.seen.add(args[1]);
    } else if (name === "ss-incomming") {
      this.#socket.send(`43${id}["this peer only asks"]`);
    } else if (name.startsWith(`${STREAM}.queue.`)) {
      this.#binaryFor = half;
    } else if (name.startsWith(`${STREAM}.error.`)) {
      this.#halves.get(half)?.end("the connection has ended");
    }
  }

  /**
   * @param {string} id of a peer that was announced
   * @returns {Promise<Connection>}
   */
  async dial(id) {
    const to = [...this.seen].find((address) => address.endsWith(`/ipfs/${id}`));
    if (to === undefined) {
      throw new Error(`${id} is not at the relay`);
    }
    const dial = randomUUID();
    const inbox = new Inbox();
    this.#halves.set(`${dial}.listener`, inbox);
    const [refused] = await this.#ask("ss-dial", this.#address, to, dial);
    if (refused) {
      throw new Error(`the relay says ${JSON.stringify(refused)}`);
    }
    this.#socket.send(`42["${STREAM}.accept.${dial}.listener"]`);
    const write = (/** @type {Buffer} */ bytes) => {
      this.#socket.send(`451-["${STREAM}.queue.${dial}.dialer",{"_placeholder":true,"num":0}]`);
      this.#socket.send(Buffer.concat([Buffer.from([4]), bytes]));
    };
    await select(write, inbox, "/noise");
    const ciphers = await handshake(write, inbox, this.identity, id);
    const connection = new Connection(write, ciphers);
    const plain = new Inbox();
    void connection.unseal(inbox, plain);
    await select((bytes) => connection.sealed(bytes), plain, "/yamux/1.0.0");
    void connection.run(plain);
    return connection;
  }
}
