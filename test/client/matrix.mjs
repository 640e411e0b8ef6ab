/**
 * A small client of the client-server API. It is given a base URL and a fetch function, so the same
 * conversation runs against a native server and, in a page, through a service worker.
 */
import { equal, ok } from "./check.mjs";

/** @typedef {{ status: number, body: any, headers: Headers }} Answer */
/** @typedef {(url: string, init?: RequestInit) => Promise<Response>} Fetch */
/**
 * @typedef {object} CallOptions
 * @property {unknown} [body] sent as JSON
 * @property {string} [raw] sent as it is, instead of body
 * @property {Record<string, string | number>} [query]
 * @property {string | null} [token]
 * @property {string} [requestId] the Neurite-Request-Id
 * @property {number} [withinMs] give up then
 */

const WITHIN_MS = 30_000;

let serial = 0;

/**
 * A word that nobody else in this run uses, for users and aliases.
 * @param {string} word
 */
export function fresh(word) {
  serial += 1;
  return `${word}-${Date.now().toString(36)}-${serial}`;
}

/** @param {string} segment */
export const enc = (segment) => encodeURIComponent(segment);

/** One homeserver as seen by somebody who is not logged in. */
export class Server {
  /**
   * @param {string} base e.g. "http://127.0.0.1:8008"
   * @param {Fetch} [fetchFunction]
   */
  constructor(base, fetchFunction = (url, init) => fetch(url, init)) {
    this.base = base;
    this.fetch = fetchFunction;
  }

  /**
   * Any request; path is below /_matrix/client/v3 unless it begins with "/_" or "/.".
   * @param {string} method
   * @param {string} path
   * @param {CallOptions} [options]
   * @returns {Promise<Answer>}
   */
  async call(method, path, options = {}) {
    const { body, raw, query, token, requestId, withinMs = WITHIN_MS } = options;
    const url = new URL(this.base + (/^\/[_.]/.test(path) ? path : `/_matrix/client/v3${path}`));
    for (const [key, value] of Object.entries(query ?? {})) {
      url.searchParams.set(key, String(value));
    }
    /** @type {Record<string, string>} */
    const headers = {};
    if (token) {
      headers.authorization = `Bearer ${token}`;
    }
    if (requestId) {
      headers["neurite-request-id"] = requestId;
    }
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    if (content !== undefined) {
      headers["content-type"] = "application/json";
    }
    const response = await this.fetch(url.href, {
      method,
      headers,
      body: content,
      signal: AbortSignal.timeout(withinMs),
    });
    const answer = await response.text();
    let parsed;
    try {
      parsed = JSON.parse(answer);
    } catch {
      parsed = answer;
    }
    return { status: response.status, body: parsed, headers: response.headers };
  }

  /**
   * The body of a 200; anything else is an error.
   * @param {string} method
   * @param {string} path
   * @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  async must(method, path, options) {
    const answer = await this.call(method, path, options);
    equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /**
   * Registers by the dummy stage and gives the logged-in user.
   * @param {string} name
   * @param {string} [password]
   */
  async register(name, password = `secret of ${name}`) {
    const first = await this.call("POST", "/register", { body: { username: name, password } });
    equal(first.status, 401, `registration asks for a stage: ${JSON.stringify(first.body)}`);
    const auth = { type: "m.login.dummy", session: first.body.session };
    const body = await this.must("POST", "/register", {
      body: { username: name, password, auth },
    });
    return new User(this, body);
  }

  /**
   * @param {string} user
   * @param {string} password
   * @returns {Promise<Answer>}
   */
  login(user, password) {
    const identifier = { type: "m.id.user", user };
    return this.call("POST", "/login", {
      body: { type: "m.login.password", identifier, password },
    });
  }
}

/** Somebody logged in, and what their syncs have told them so far. */
export class User {
  /**
   * @param {Server} server
   * @param {{ user_id: string, access_token: string, device_id: string }} session
   */
  constructor(server, session) {
    this.server = server;
    this.userId = session.user_id;
    this.token = session.access_token;
    this.deviceId = session.device_id;
    /** @type {string | undefined} */
    this.since = undefined;
    /** @type {Map<string, any[]>} timeline events of each room, in order */
    this.timelines = new Map();
    /** @type {Map<string, any[]>} ephemeral events of each room, in order */
    this.ephemeral = new Map();
    /** @type {Map<string, "join" | "invite" | "leave">} */
    this.rooms = new Map();
    /** @type {Map<string, any>} the last invite_state of each room */
    this.invites = new Map();
    /** @type {any[]} to-device events, in order */
    this.toDevice = [];
    /** @type {any[]} global account data, in order */
    this.accountData = [];
    this.txn = 0;
  }

  /** The part of the user id behind the first colon. */
  get serverName() {
    return this.userId.slice(this.userId.indexOf(":") + 1);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {CallOptions} [options]
   */
  call(method, path, options) {
    return this.server.call(method, path, { token: this.token, ...options });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {CallOptions} [options]
   */
  must(method, path, options) {
    return this.server.must(method, path, { token: this.token, ...options });
  }

  /**
   * @param {Record<string, unknown>} [body]
   * @returns {Promise<string>} the room id
   */
  async createRoom(body = { preset: "public_chat" }) {
    return (await this.must("POST", "/createRoom", { body })).room_id;
  }

  /**
   * @param {string} roomOrAlias
   * @param {CallOptions} [options]
   * @returns {Promise<string>} the room id
   */
  async join(roomOrAlias, options) {
    const answer = await this.must("POST", `/join/${enc(roomOrAlias)}`, { body: {}, ...options });
    return answer.room_id;
  }

  /**
   * @param {string} room
   * @param {string} type
   * @param {unknown} content
   * @param {string} [txn]
   * @returns {Promise<string>} the event id
   */
  async send(room, type, content, txn) {
    this.txn += 1;
    const id = txn ?? `t${this.txn}`;
    const path = `/rooms/${enc(room)}/send/${enc(type)}/${enc(id)}`;
    return (await this.must("PUT", path, { body: content })).event_id;
  }

  /**
   * @param {string} room
   * @param {string} body
   */
  say(room, body) {
    return this.send(room, "m.room.message", { msgtype: "m.text", body });
  }

  /**
   * One sync from where the last one ended; what it says is kept.
   * @param {number} [timeoutMs] of the long poll
   * @param {Record<string, string>} [query]
   */
  async sync(timeoutMs = 0, query = {}) {
    /** @type {Record<string, string | number>} */
    const all = { timeout: timeoutMs, ...query };
    if (this.since !== undefined) {
      all.since = this.since;
    }
    const body = await this.must("GET", "/sync", { query: all });
    ok(typeof body.next_batch === "string", "a sync names the next batch");
    this.since = body.next_batch;
    for (const kind of /** @type {const} */ (["join", "leave", "invite"])) {
      for (const [room, data] of Object.entries(body.rooms?.[kind] ?? {})) {
        if (data.timeline?.limited && this.events(room).length > 0) {
          await this.fill(room, data.timeline.prev_batch);
        }
        this.keep(kind, room, data);
      }
    }
    this.toDevice.push(...(body.to_device?.events ?? []));
    this.accountData.push(...(body.account_data?.events ?? []));
    return body;
  }

  /**
   * Reads what a sync left out: backwards until something is known.
   * @param {string} room
   * @param {string} from
   */
  async fill(room, from) {
    const known = new Set(this.events(room).map((e) => e.event_id));
    /** @type {any[]} */
    const missed = [];
    /** @type {string | undefined} */
    let at = from;
    while (at !== undefined) {
      /** @type {any} */
      const page = await this.must("GET", `/rooms/${enc(room)}/messages`, {
        query: { dir: "b", from: at, limit: 50 },
      });
      const end = page.chunk.findIndex((/** @type {any} */ e) => known.has(e.event_id));
      missed.push(...(end < 0 ? page.chunk : page.chunk.slice(0, end)));
      at = end < 0 ? page.end : undefined;
    }
    this.events(room).push(...missed.toReversed());
  }

  /**
   * @param {"join" | "leave" | "invite"} kind
   * @param {string} room
   * @param {any} data
   */
  keep(kind, room, data) {
    this.rooms.set(room, kind);
    this.events(room).push(...(data.timeline?.events ?? []));
    this.whispers(room).push(...(data.ephemeral?.events ?? []));
    if (kind === "invite") {
      this.invites.set(room, data.invite_state);
    }
  }

  /**
   * Timeline events seen so far.
   * @param {string} room
   * @returns {any[]}
   */
  events(room) {
    const list = this.timelines.get(room) ?? [];
    this.timelines.set(room, list);
    return list;
  }

  /**
   * Ephemeral events seen so far.
   * @param {string} room
   * @returns {any[]}
   */
  whispers(room) {
    const list = this.ephemeral.get(room) ?? [];
    this.ephemeral.set(room, list);
    return list;
  }

  /**
   * Texts of messages seen so far from a sender.
   * @param {string} room
   * @param {string} sender
   * @returns {string[]}
   */
  texts(room, sender) {
    return this.events(room)
      .filter((e) => e.type === "m.room.message" && e.sender === sender)
      .map((e) => e.content.body);
  }

  /**
   * Syncs until the condition holds.
   * @param {() => unknown} condition
   * @param {string} what the sentence that fails
   * @param {number} [withinMs]
   */
  async until(condition, what, withinMs = WITHIN_MS) {
    const end = Date.now() + withinMs;
    while (!condition()) {
      ok(Date.now() < end, `never came true: ${what}`);
      await this.sync(Math.min(5000, Math.max(0, end - Date.now())));
    }
  }

  /**
   * Syncs until the event is in the room's timeline, and gives it.
   * @param {string} room
   * @param {string} eventId
   * @returns {Promise<any>}
   */
  async see(room, eventId) {
    const find = () => this.events(room).find((e) => e.event_id === eventId);
    await this.until(find, `${this.userId} sees ${eventId}`);
    return find();
  }
}
