/**
 * Judges one request and its answer by the data: which operation it is, and what is wrong with it.
 */

/** @typedef {import("./spec.mjs").Operation} Operation */
/**
 * @typedef {object} Exchange
 * @property {string} method
 * @property {URL} url
 * @property {unknown} sent the JSON body, or bytes; undefined: none
 * @property {number} status
 * @property {string} type the answer's content type
 * @property {any} body the answer's JSON, or its text
 */
/**
 * @typedef {object} Verdict
 * @property {Operation | undefined} operation
 * @property {string[]} faults
 * @property {"success" | "error" | "other"} kind error: one that is documented for this operation
 */

/** Codes that the specification's text gives to every operation ("Common error codes" and tokens). */
const COMMON = [
  ...["M_FORBIDDEN", "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_BAD_JSON", "M_NOT_JSON"],
  ...["M_NOT_FOUND", "M_LIMIT_EXCEEDED", "M_MISSING_PARAM", "M_INVALID_PARAM", "M_TOO_LARGE"],
  ...["M_UNAUTHORIZED"],
];
const TOKEN_CODES = ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"];

/** @param {unknown} body @returns {string[]} what keeps it from being the standard error response */
function errorFaults(body) {
  const { errcode, error } = /** @type {any} */ (body ?? {});
  return [
    ...(typeof errcode === "string" && /^[A-Z][A-Za-z0-9_.]+$/.test(errcode) ? [] : ["no errcode"]),
    ...(error === undefined || typeof error === "string" ? [] : ["error is no string"]),
  ];
}

/** @param {string} text @param {string} type */
function coerced(text, type) {
  if ((type === "integer" || type === "number") && /^-?\d+(\.\d+)?$/.test(text)) {
    return Number(text);
  }
  return type === "boolean" && /^(true|false)$/.test(text) ? text === "true" : text;
}

export class Judge {
  /** @param {import("./spec.mjs").Spec} spec */
  constructor({ operations, stages }) {
    this.stages = stages;
    this.rows = operations.map((operation) => {
      const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      // A state key may be empty, and then its slash may be missing.
      const pattern = operation.path
        .replace(/[.]/g, "\\.")
        .replace(/\/\{stateKey\}$/, "(?:/([^/]*))?")
        .replace(/\{\w+\}/g, "([^/]+)")
        .replace(/\/$/, "/?");
      return { operation, names, pattern: new RegExp(`^${pattern}$`), wild: names.length };
    });
    // What is spelt out goes before what is a parameter.
    this.rows.sort((a, b) => a.wild - b.wild);
  }

  /**
   * The operations whose path this is, the best first, and the path's parameters.
   * @param {string} method
   * @param {URL} url
   * @param {unknown} sent
   */
  find(method, url, sent) {
    const fits = this.rows.flatMap((row) => {
      const match = row.pattern.exec(url.pathname);
      const values = match?.slice(1).map((value) => decodeURIComponent(value ?? "")) ?? [];
      return match && row.operation.method === method ? [{ row, values }] : [];
    });
    const least = fits[0]?.row.wild;
    const same = fits.filter(({ row }) => row.wild === least);
    // Two operations of one method and path differ in their parameters or bodies.
    const chosen =
      same.find(({ row }) => this.requestFaults(row.operation, url, sent).length === 0) ?? same[0];
    return (
      chosen && {
        operation: chosen.row.operation,
        values: Object.fromEntries(chosen.row.names.map((name, i) => [name, chosen.values[i]])),
      }
    );
  }

  /** Operations of that path with another method. @param {string} method @param {URL} url */
  neighbours(method, url) {
    return this.rows
      .filter((row) => row.pattern.test(url.pathname) && row.operation.method !== method)
      .map((row) => row.operation);
  }

  /**
   * @param {Operation} operation
   * @param {URL} url
   * @param {unknown} sent
   * @returns {string[]}
   */
  requestFaults(operation, url, sent) {
    const faults = [];
    const known = operation.parameters.filter((parameter) => parameter.in === "query");
    for (const { name, required, type, validate } of known) {
      const values = url.searchParams.getAll(name);
      if (values.length === 0) {
        faults.push(...(required ? [`the query lacks ${name}`] : []));
      } else {
        const value = type === "array" ? values : coerced(values[0], type);
        faults.push(...validate(value).map((fault) => `query ${name}: ${fault}`));
      }
    }
    for (const name of url.searchParams.keys()) {
      if (!known.some((parameter) => parameter.name === name) && name !== "access_token") {
        faults.push(`the query's ${name} is not in the data`);
      }
    }
    if (sent === undefined && operation.wantsBody) {
      faults.push("there is no body");
    } else if (sent !== undefined && operation.request) {
      faults.push(...operation.request(sent));
    }
    return faults;
  }

  /**
   * @param {Operation} operation
   * @param {Exchange} exchange
   * @returns {string[]}
   */
  answerFaults(operation, { status, type, body }) {
    const validate = operation.answers.get(String(status));
    if (status === 401 && body?.flows !== undefined) {
      return this.stages(body); // user-interactive authentication may stand before any operation
    }
    if (status >= 400) {
      const isStandard = validate === undefined || TOKEN_CODES.includes(body?.errcode);
      return isStandard ? errorFaults(body) : validate(body);
    }
    if (!operation.statuses.includes(String(status))) {
      return [`${status} is not in the data`];
    }
    if (validate === undefined) {
      return [];
    }
    return type.startsWith("application/json") ? validate(body) : [`content-type is ${type}`];
  }

  /** @param {Exchange} exchange @returns {Verdict} */
  judge(exchange) {
    const { method, url, sent, status, body } = exchange;
    const found = this.find(method, url, sent);
    if (found === undefined) {
      return { operation: undefined, faults: [], kind: "other" };
    }
    const { operation } = found;
    const isSuccess = status < 400;
    const faults = this.answerFaults(operation, exchange).map((fault) => `answer: ${fault}`);
    if (isSuccess) {
      const wrong = this.requestFaults(operation, url, sent);
      faults.push(...wrong.map((fault) => `accepted request: ${fault}`));
    }
    const isDocumented =
      operation.errors.length > 0
        ? operation.errors.includes(String(status))
        : COMMON.includes(body?.errcode);
    const isMissing = status === 404 && body?.errcode === "M_UNRECOGNIZED";
    const isError = status >= 400 && isDocumented && !isMissing;
    return { operation, faults, kind: isSuccess ? "success" : isError ? "error" : "other" };
  }
}
