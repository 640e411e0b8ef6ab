/**
 * A homeserver of the test's own at the relay, which asks the native server by the names that the data
 * gives to operations of the server API. It only asks; what it is asked it refuses.
 */
import assert from "node:assert/strict";

import { Member } from "../../harness/services/member.mjs";
import { fresh } from "../client/matrix.mjs";
import { Caller } from "./caller.mjs";

/** @typedef {import("./ledger.mjs").Ledger} Ledger */
/** @typedef {import("./caller.mjs").Parameters} Parameters */
/** @typedef {{ status: number, body: any }} Answer */

const WITHIN_MS = 30_000;

export class Resident extends Caller {
  /**
   * @param {import("./spec.mjs").Spec} spec
   * @param {Ledger} ledger
   * @param {string} relay ws://HOST:PORT
   * @param {string} server the native server's name
   */
  constructor(spec, ledger, relay, server) {
    super(Caller.operations(spec, "server"));
    this.ledger = ledger;
    this.server = server;
    this.member = new Member(relay);
  }

  get name() {
    return this.member.name;
  }

  /** Joins the relay and waits until the server is there. */
  async start() {
    await this.member.peer.join();
    const end = Date.now() + WITHIN_MS;
    while (!this.member.knows(this.server)) {
      assert.ok(Date.now() < end, `${this.server} comes to the relay`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  stop() {
    this.member.close();
  }

  /**
   * @override
   * @param {string} id
   * @param {Parameters} [given]
   * @param {unknown} [body]
   * @param {string} [destination] whom the signature is for, when not the server
   * @returns {Promise<Answer>}
   */
  async call(id, given = {}, body = undefined, destination = this.server) {
    const { operation, path } = this.place(id, given);
    return this.request(operation.method, path, body, destination);
  }

  /**
   * @param {string} method
   * @param {string} uri
   * @param {unknown} [sent]
   * @param {string} [destination]
   * @returns {Promise<Answer>}
   */
  async request(method, uri, sent, destination) {
    const answer = await this.member.call(this.server, method, uri, sent, destination);
    const text = answer.body.toString();
    /** @type {any} */
    let body = text;
    try {
      body = JSON.parse(text);
    } catch {
      // Some answers are no JSON; the ledger says whether this one may be.
    }
    const { status, type } = answer;
    this.ledger.note({ method, url: new URL(uri, "http://x"), sent, status, type, body });
    return { status, body };
  }

  /**
   * The same request signed for another server is refused.
   * @param {string} id
   * @param {Parameters} [given]
   * @param {unknown} [body]
   */
  async isSigned(id, given, body) {
    const answer = await this.call(id, given, body, "elsewhere.example.org");
    assert.equal(`${answer.status} ${answer.body?.errcode}`, "401 M_UNAUTHORIZED", id);
  }

  /**
   * A user of this server comes into a room that anybody may join.
   * @param {string} roomId
   */
  async join(roomId) {
    const userId = `@${fresh("far")}:${this.name}`;
    const made = await this.ok("makeJoin", { roomId, userId, ver: ["10", "11"] });
    const { event, id } = this.member.seal(made.event);
    const joined = await this.ok("sendJoinV2", { roomId, eventId: id }, event);
    return { userId, event, id, joined };
  }
}
