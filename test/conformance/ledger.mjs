/**
 * What was seen of each operation, and how many count: an operation counts when one success and one
 * documented error of it were seen, and both were valid. Where the data lists errors (429 apart), it
 * must be one of those; where it lists none, one of the codes that the specification gives to all; where
 * there is no token and no input either, the refusal of another method on its path.
 */
import { Judge } from "./judge.mjs";

/** @typedef {import("./spec.mjs").Operation} Operation */
/** @typedef {import("./judge.mjs").Exchange} Exchange */
/**
 * @typedef {object} Row
 * @property {Operation} operation
 * @property {Map<number, number>} statuses how often each was seen
 * @property {Set<string>} cases
 * @property {boolean} hasSuccess
 * @property {boolean} hasError
 */

/**
 * Faults that are known, each with its reason. The operation of one that is the server's own does not
 * count; where the data contradicts itself it does.
 * @type {{ id: string, fault: RegExp, counts: boolean, why: string }[]}
 */
export const known = [
  {
    id: "getTurnServer",
    fault: /must have required property '(username|password|uris|ttl)'/,
    counts: false,
    why: "there is no TURN server to name, and an answer with an empty list of addresses makes browsers refuse the call",
  },
  {
    id: "getRoomStateWithKey",
    fault: /the whole must match exactly one schema in oneOf .*\[0,1\]/,
    counts: true,
    why: "the data's two forms, content and whole event, both take a whole event",
  },
  {
    id: "getEvents",
    fault: /\/chunk\/\d+ must have required property '(event_id|sender|origin_server_ts|room_id)'/,
    counts: true,
    why: "the data names events of rooms only, and clients of the old stream are told receipts, typing and presence by it",
  },
];

/** "Known query types are specified as their own endpoints as an extension" of the general one. */
const GENERAL = new Map([
  ["queryRoomDirectory", "queryInfo"],
  ["queryProfile", "queryInfo"],
]);

/** An operation that nothing can be wrong with. @param {Operation} operation */
const cannotFail = (operation) =>
  operation.errors.length === 0 && operation.isOpen && operation.request === undefined;

export class Ledger {
  /** @param {import("./spec.mjs").Spec} spec */
  constructor(spec) {
    this.judge = new Judge(spec);
    /** @type {Map<Operation, Row>} */
    this.rows = new Map(
      spec.operations.map((operation) => [
        operation,
        { operation, statuses: new Map(), cases: new Set(), hasSuccess: false, hasError: false },
      ]),
    );
    this.running = "";
    /** @type {string[]} what was wrong in the case that runs */
    this.faults = [];
  }

  /** @param {string} name of the case whose requests come now */
  begin(name) {
    this.running = name;
    this.faults = [];
  }

  /** @param {Exchange} exchange */
  note(exchange) {
    const { method, url, status, body } = exchange;
    const { operation, faults: all, kind } = this.judge.judge(exchange);
    if (operation === undefined) {
      this.noteRefusedMethod(exchange);
      return;
    }
    const row = /** @type {Row} */ (this.rows.get(operation));
    row.statuses.set(status, (row.statuses.get(status) ?? 0) + 1);
    row.cases.add(this.running);
    const excuse = known.find(({ id, fault }) => id === operation.id && fault.test(all.join()));
    const faults = excuse ? all.filter((fault) => !excuse.fault.test(fault)) : all;
    if (faults.length > 0) {
      const text = JSON.stringify(body) ?? "";
      const list = faults.slice(0, 5).join("\n    ");
      const what = `${operation.id}: ${method} ${url.pathname}${url.search} answered ${status}`;
      this.faults.push(`${what}\n    ${list}\n    ${text.slice(0, 600)}`);
    } else if (kind === "success" && excuse?.counts !== false) {
      row.hasSuccess = true;
      this.noteGeneral(operation);
    } else if (kind === "error") {
      row.hasError = true;
    }
  }

  /** @param {Operation} operation that succeeded, and with it the one that it extends */
  noteGeneral({ id }) {
    for (const row of this.rows.values()) {
      row.hasSuccess ||= row.operation.id === GENERAL.get(id);
    }
  }

  /** @param {Exchange} exchange */
  noteRefusedMethod({ method, url, status, body }) {
    if (status === 405 && body?.errcode === "M_UNRECOGNIZED") {
      for (const operation of this.judge.neighbours(method, url)) {
        const row = /** @type {Row} */ (this.rows.get(operation));
        if (cannotFail(operation)) {
          row.statuses.set(status, (row.statuses.get(status) ?? 0) + 1);
          row.hasError = true;
        }
      }
    }
  }

  /** @param {"client" | "server"} api */
  count(api) {
    const rows = [...this.rows.values()].filter((row) => row.operation.api === api);
    const counted = rows.filter((row) => row.hasSuccess && row.hasError);
    return { counted: counted.length, all: rows.length };
  }

  /** The table and the totals, as text. */
  report() {
    const lines = [...this.rows.values()].map(({ operation, statuses, cases, ...row }) => {
      const seen = [...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${status}×${n}`);
      const lacks = [
        ...(row.hasSuccess ? [] : ["a valid success"]),
        ...(row.hasError ? [] : [`error (${operation.errors.join("/") || "any"})`]),
      ];
      const mark = lacks.length === 0 ? "counts" : `lacks ${lacks.join(", ")}`;
      return [
        operation.api,
        operation.id,
        `${operation.method} ${operation.path}`,
        seen.join(" ") || "-",
        String(cases.size),
        mark,
      ];
    });
    const head = ["api", "operation", "request", "statuses seen", "cases", ""];
    const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i].length)));
    const table = [head, ...lines].map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    );
    return `${table.join("\n")}\n${this.totals()}\n`;
  }

  totals() {
    const client = this.count("client");
    const server = this.count("server");
    return (
      `${client.counted} of ${client.all} client operations, ` +
      `${server.counted} of ${server.all} server operations`
    );
  }
}
