/**
 * A homeserver that only looks: it joins a room by make_join and send_join, as the server-server API
 * has it, and then asks the others in the room for events and state, each over its own federation API.
 */
import { createHash } from "node:crypto";
import { Peer } from "./peer.mjs";

const VERSION = "11";
const KEY_ID = "ed25519:p2p";
const KEPT = [
  ...["auth_events", "content", "depth", "event_id", "hashes", "origin_server_ts", "prev_events"],
  ...["room_id", "sender", "signatures", "state_key", "type"],
];

/**
 * Canonical JSON (appendices, "Canonical JSON").
 *
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const object = /** @type {Record<string, unknown>} */ (value);
    const names = Object.keys(object).sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(object[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** @param {Record<string, any>} object @param {string[]} names */
const without = (object, names) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** @param {Buffer} bytes */
const unpadded = (bytes) => bytes.toString("base64").replace(/=+$/, "");

/** @param {unknown} value */
const hashOf = (value) => createHash("sha256").update(canonical(value)).digest();

/**
 * An event as it is signed and named: redacted by the rules of its version.
 *
 * @param {Record<string, any>} event of type m.room.member or m.room.message
 * @param {string} version "11", or "1" to "10", which keep the origin as well
 */
function redacted(event, version) {
  const names = version === VERSION ? KEPT : [...KEPT, "origin"];
  const kept = Object.fromEntries(Object.entries(event).filter(([name]) => names.includes(name)));
  const { membership } = event.content;
  return { ...kept, content: event.type === "m.room.member" ? { membership } : {} };
}

export class Member {
  /** @type {Map<string, Awaited<ReturnType<Peer["dial"]>>>} */
  #connections = new Map();

  /** @param {string} relay ws://HOST:PORT */
  constructor(relay) {
    this.peer = new Peer(relay);
    this.name = this.peer.identity.id;
    this.userId = `@observer:${this.name}`;
  }

  close() {
    this.peer.close();
  }

  /** @param {string} name of a server: is it at the relay? */
  knows(name) {
    return [...this.peer.seen].some((address) => address.endsWith(`/ipfs/${name}`));
  }

  /**
   * A request, signed as X-Matrix, to a server.
   *
   * @param {string} to its name
   * @param {string} method
   * @param {string} uri
   * @param {unknown} [content]
   * @param {string} [destination] what the signature says whom it is for
   * @returns {Promise<{ status: number, type: string, body: Buffer }>}
   */
  async call(to, method, uri, content, destination = to) {
    const connection = this.#connections.get(to) ?? (await this.peer.dial(to));
    this.#connections.set(to, connection);
    const signed = {
      method,
      uri,
      origin: this.name,
      destination,
      ...(content ? { content } : {}),
    };
    const sig = unpadded(this.peer.identity.sign(canonical(signed)));
    const body = content === undefined ? Buffer.alloc(0) : Buffer.from(canonical(content));
    const head = [
      `${method} ${uri} HTTP/1.1`,
      `host: ${to}`,
      `authorization: X-Matrix origin="${this.name}",destination="${destination}",key="${KEY_ID}",sig="${sig}"`,
      `content-length: ${body.length}`,
      ...(body.length > 0 ? ["content-type: application/json"] : []),
      "connection: close",
    ];
    return connection.exchange(`${head.join("\r\n")}\r\n\r\n`, body);
  }

  /**
   * @param {string} to
   * @param {string} method
   * @param {string} uri
   * @param {unknown} [content]
   * @returns {Promise<any>} the body of a 200
   */
  async ask(to, method, uri, content) {
    const answer = await this.call(to, method, uri, content);
    if (answer.status !== 200) {
      throw new Error(`${method} ${uri} at ${to}: ${answer.status} ${answer.body}`);
    }
    return JSON.parse(answer.body.toString());
  }

  /**
   * Completes an event, e.g. of make_join: time, hash, signature.
   *
   * @param {Record<string, any>} template of type m.room.member or m.room.message
   * @param {string} [version] of the room; events of 1 and 2 have their id in event_id
   * @returns {{ event: Record<string, any>, id: string }}
   */
  seal(template, version = VERSION) {
    const event = without(template, ["hashes", "signatures", "unsigned"]);
    event.origin = this.name;
    event.origin_server_ts = Date.now();
    event.hashes = { sha256: unpadded(hashOf(event)) };
    const named = redacted(event, version);
    event.signatures = {
      [this.name]: { [KEY_ID]: unpadded(this.peer.identity.sign(canonical(named))) },
    };
    return { event, id: event.event_id ?? `$${hashOf(named).toString("base64url")}` };
  }

  /**
   * @param {string} via a server in the room
   * @param {string} room
   * @returns {Promise<string>} the join's event id
   */
  async join(via, room) {
    const place = `${encodeURIComponent(room)}/${encodeURIComponent(this.userId)}`;
    const made = await this.ask(
      via,
      "GET",
      `/_matrix/federation/v1/make_join/${place}?ver=${VERSION}`,
    );
    const { event, id } = this.seal(made.event);
    const to = `${encodeURIComponent(room)}/${encodeURIComponent(id)}`;
    await this.ask(via, "PUT", `/_matrix/federation/v2/send_join/${to}`, event);
    return id;
  }

  /**
   * The event as a server has it.
   *
   * @param {string} at the server
   * @param {string} id
   * @returns {Promise<string>} its canonical bytes
   */
  async event(at, id) {
    const path = `/_matrix/federation/v1/event/${encodeURIComponent(id)}`;
    const { pdus } = await this.ask(at, "GET", path);
    return canonical(without(pdus[0], ["unsigned"]));
  }

  /**
   * Ids of the state before an event, as a server has it.
   *
   * @param {string} at
   * @param {string} room
   * @param {string} id
   * @returns {Promise<string[]>} sorted
   */
  async stateIds(at, room, id) {
    const query = `event_id=${encodeURIComponent(id)}`;
    const path = `/_matrix/federation/v1/state_ids/${encodeURIComponent(room)}?${query}`;
    return (await this.ask(at, "GET", path)).pdu_ids.sort();
  }
}
