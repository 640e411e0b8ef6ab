/**
 * A client of the client-server API that costs little itself: for loads on any homeserver. Connections
 * are kept; an answer that is not 2xx is an error.
 */
import http from "node:http";
import { fresh } from "../../test/client/matrix.mjs";

const V3 = "/_matrix/client/v3";
const WITHIN_MS = 60_000;
const PASSWORD = "a password that nobody guesses";

/** @typedef {{ status: number, bytes: Buffer }} Answer */

export class Homeserver {
  #url;
  #agent;
  #txn = 0;

  /**
   * @param {string} base
   * @param {number} connections at most
   */
  constructor(base, connections = Infinity) {
    this.#url = new URL(base);
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {string} [token]
   * @returns {Promise<Answer>} whatever its status
   */
  call(method, path, body, token) {
    return new Promise((resolve, reject) => {
      const data = body && Buffer.from(JSON.stringify(body));
      const request = http.request({
        host: this.#url.hostname,
        port: this.#url.port,
        agent: this.#agent,
        method,
        path,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(data ? { "content-type": "application/json", "content-length": data.length } : {}),
        },
        timeout: WITHIN_MS,
      });
      request.on("response", (response) => {
        /** @type {Buffer[]} */
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(parts) }),
        );
      });
      request.on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer`)));
      request.on("error", reject);
      request.end(data);
    });
  }

  /**
   * @param {string} method
   * @param {string} path below the prefix of version 3
   * @param {object} [body]
   * @param {string} [token]
   * @returns {Promise<Buffer>} of a 2xx
   */
  async must(method, path, body, token) {
    const { status, bytes } = await this.call(method, V3 + path, body, token);
    if (status < 200 || status > 299) {
      throw new Error(`${method} ${path}: ${status} ${bytes.toString().slice(0, 200)}`);
    }
    return bytes;
  }

  async register() {
    const wanted = { username: fresh("u"), password: PASSWORD, inhibit_login: false };
    const first = await this.call("POST", `${V3}/register`, wanted);
    const { session } = JSON.parse(first.bytes.toString());
    const auth = { type: "m.login.dummy", session };
    const said = await this.must("POST", "/register", { ...wanted, auth });
    return new Account(this, JSON.parse(said.toString()).access_token);
  }

  get nextTxn() {
    return `t${++this.#txn}`;
  }

  close() {
    this.#agent.destroy();
  }
}

/** Somebody logged in. */
export class Account {
  /**
   * @param {Homeserver} server
   * @param {string} token
   */
  constructor(server, token) {
    this.server = server;
    this.token = token;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  must(method, path, body) {
    return this.server.must(method, path, body, this.token);
  }

  /** @returns {Promise<string>} the id of a public room */
  async createRoom() {
    const body = { preset: "public_chat", name: "A room", topic: "What it is about" };
    return JSON.parse((await this.must("POST", "/createRoom", body)).toString()).room_id;
  }

  /** @param {string} room */
  join(room) {
    return this.must("POST", `/join/${encodeURIComponent(room)}`, {});
  }

  /**
   * @param {string} room
   * @param {string} text
   */
  say(room, text) {
    const path = `/rooms/${encodeURIComponent(room)}/send/m.room.message/${this.server.nextTxn}`;
    return this.must("PUT", path, { msgtype: "m.text", body: text });
  }

  /**
   * @param {number} timeoutMs
   * @param {string} [since]
   */
  sync(timeoutMs, since) {
    const from = since === undefined ? "" : `&since=${encodeURIComponent(since)}`;
    return this.must("GET", `/sync?timeout=${timeoutMs}${from}`);
  }
}
