/**
 * Calls operations by the names that the data gives them, as one user or as nobody, and hands each
 * exchange to the ledger.
 */
import assert from "node:assert/strict";

import { enc, fresh, Server } from "../client/matrix.mjs";

/** @typedef {import("./ledger.mjs").Ledger} Ledger */
/** @typedef {import("./spec.mjs").Operation} Operation */
/** @typedef {import("../client/matrix.mjs").Answer} Answer */
/** @typedef {Record<string, string | number | boolean | string[]>} Parameters of path and query, by name */

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A fetch function that tells a ledger.
 * @param {Ledger} ledger
 * @returns {import("../client/matrix.mjs").Fetch}
 */
export function watched(ledger) {
  return async (url, init = {}) => {
    const response = await fetch(url, init);
    const text = await response.clone().text();
    ledger.note({
      method: init.method ?? "GET",
      url: new URL(url),
      sent: typeof init.body === "string" ? parsed(init.body) : (init.body ?? undefined),
      status: response.status,
      type: response.headers.get("content-type") ?? "",
      body: parsed(text),
    });
    return response;
  };
}

/** Somebody who calls operations. */
export class Actor {
  /**
   * @param {Map<string, Operation>} operations of the client API, by name
   * @param {Server} server
   * @param {{ user_id: string, access_token: string, device_id: string }} [session]
   */
  constructor(operations, server, session) {
    this.operations = operations;
    this.server = server;
    this.userId = session?.user_id ?? "";
    this.token = session?.access_token ?? null;
    this.deviceId = session?.device_id ?? "";
  }

  get serverName() {
    return this.userId.slice(this.userId.indexOf(":") + 1);
  }

  /**
   * @param {string} id
   * @param {Parameters} given
   */
  place(id, given) {
    const operation = this.operations.get(id);
    assert.ok(operation, `the data has an operation ${id}`);
    const rest = new Map(Object.entries(given));
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => {
      const preset = name === "userId" ? this.userId : name === "txnId" ? fresh("txn") : undefined;
      const value = rest.get(name) ?? preset;
      assert.ok(value !== undefined, `${id} wants ${name}`);
      rest.delete(name);
      return enc(String(value));
    });
    const query = new URLSearchParams();
    for (const [name, value] of rest) {
      for (const one of Array.isArray(value) ? value : [value]) {
        query.append(name, String(one));
      }
    }
    return { operation, path: query.size === 0 ? path : `${path}?${query}` };
  }

  /**
   * @param {string} id
   * @param {Parameters} [given]
   * @param {unknown} [body] an empty object where the operation wants one and none is given
   * @returns {Promise<Answer>}
   */
  call(id, given = {}, body = undefined) {
    const { operation, path } = this.place(id, given);
    const isSender = operation.method === "PUT" || operation.method === "POST";
    return this.server.call(operation.method, path, {
      body: body ?? (isSender ? {} : undefined),
      token: this.token,
    });
  }

  /**
   * The body of a 200.
   * @param {string} id
   * @param {Parameters} [given]
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async ok(id, given, body) {
    const answer = await this.call(id, given, body);
    assert.equal(answer.status, 200, `${id}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /**
   * The body of an error.
   * @param {number} status
   * @param {string} code
   * @param {string} id
   * @param {Parameters} [given]
   * @param {unknown} [body]
   * @returns {Promise<any>}
   */
  async fails(status, code, id, given, body) {
    const answer = await this.call(id, given, body);
    const got = `${answer.status} ${answer.body?.errcode}`;
    assert.equal(got, `${status} ${code}`, `${id}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /**
   * @param {Record<string, unknown>} [body]
   * @returns {Promise<string>} a new room's id
   */
  async room(body = { preset: "public_chat" }) {
    return (await this.ok("createRoom", {}, body)).room_id;
  }

  /**
   * @param {string} roomId
   * @param {string} text
   * @returns {Promise<string>} the event id
   */
  async say(roomId, text) {
    const content = { msgtype: "m.text", body: text };
    const given = { roomId, eventType: "m.room.message" };
    return (await this.ok("sendMessage", given, content)).event_id;
  }
}

/** Who takes part in the cases: the server, and users as they are wanted. */
export class Stage {
  /**
   * @param {import("./spec.mjs").Spec} spec
   * @param {Ledger} ledger
   * @param {string} base of the server
   */
  constructor(spec, ledger, base) {
    this.ledger = ledger;
    this.server = new Server(base, watched(ledger));
    this.operations = new Map(
      spec.operations.filter((o) => o.api === "client").map((o) => [o.id, o]),
    );
    this.anyone = new Actor(this.operations, this.server);
  }

  /** @param {string} name @param {string} [password] @returns {Promise<Actor>} */
  async user(name, password = "a secret nobody guesses") {
    const auth = { type: "m.login.dummy" };
    const body = { username: fresh(name), password, auth };
    return this.as(await this.anyone.ok("register", {}, body));
  }

  /** @param {any} session as login and registration answer */
  as(session) {
    return new Actor(this.operations, this.server, session);
  }

  /** @param {string} token */
  bearer(token) {
    return this.as({ user_id: "@nobody:nowhere", access_token: token, device_id: "" });
  }
}
