/** What everybody does who calls operations by the names that the data gives them. */
import assert from "node:assert/strict";

import { enc, fresh } from "../client/matrix.mjs";

/** @typedef {import("./spec.mjs").Operation} Operation */
/** @typedef {import("./spec.mjs").Spec} Spec */
/** @typedef {Record<string, string | number | boolean | string[]>} Parameters of path and query, by name */

/** Its heirs say how a call is made. */
export class Caller {
  /** @param {Map<string, Operation>} operations of one API, by name */
  constructor(operations) {
    this.operations = operations;
  }

  /**
   * @param {Spec} spec
   * @param {Operation["api"]} api
   * @returns {Map<string, Operation>}
   */
  static operations(spec, api) {
    return new Map(spec.operations.filter((o) => o.api === api).map((o) => [o.id, o]));
  }

  /**
   * What stands in a path when nothing is given.
   * @param {string} name
   * @returns {string | undefined}
   */
  preset(name) {
    return name === "txnId" ? fresh("txn") : undefined;
  }

  /**
   * @param {string} id
   * @param {Parameters} given what the path has no place for goes into the query
   */
  place(id, given) {
    const operation = this.operations.get(id);
    assert.ok(operation, `the data has an operation ${id}`);
    const rest = new Map(Object.entries(given));
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => {
      const value = rest.get(name) ?? this.preset(name);
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
   * @param {Parameters} [_given]
   * @param {unknown} [_body]
   * @returns {Promise<{ status: number, body: any }>}
   */
  async call(id, _given, _body) {
    return assert.fail(`nobody calls ${id}`);
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
}
