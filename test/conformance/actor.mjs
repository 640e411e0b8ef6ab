/**
 * Calls operations by the names that the data gives them, as one user or as nobody, and hands each
 * exchange to the ledger.
 */
import { fresh, Server } from "../client/matrix.mjs";
import { Caller } from "./caller.mjs";

/** @typedef {import("./ledger.mjs").Ledger} Ledger */
/** @typedef {import("./spec.mjs").Operation} Operation */
/** @typedef {import("../client/matrix.mjs").Answer} Answer */
/** @typedef {import("./caller.mjs").Parameters} Parameters */

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
export class Actor extends Caller {
  /**
   * @param {Map<string, Operation>} operations of the client API, by name
   * @param {Server} server
   * @param {{ user_id: string, access_token: string, device_id: string }} [session]
   */
  constructor(operations, server, session) {
    super(operations);
    this.server = server;
    this.userId = session?.user_id ?? "";
    this.token = session?.access_token ?? null;
    this.deviceId = session?.device_id ?? "";
  }

  get serverName() {
    return this.userId.slice(this.userId.indexOf(":") + 1);
  }

  /** @override @param {string} name */
  preset(name) {
    return name === "userId" ? this.userId : super.preset(name);
  }

  /**
   * @override
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
    this.operations = Caller.operations(spec, "client");
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
