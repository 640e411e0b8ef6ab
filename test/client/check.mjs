/**
 * Assertions for conversations, which also run in a browser's page.
 */

/**
 * JSON with sorted keys, so that equal values are equal texts.
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(",")}]`;
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "undefined";
}

/**
 * @param {unknown} condition
 * @param {string} what
 * @returns {asserts condition}
 */
export function ok(condition, what) {
  if (!condition) {
    throw new Error(what);
  }
}

/**
 * Deep equality.
 * @param {unknown} got
 * @param {unknown} want
 * @param {string} what
 */
export function equal(got, want, what) {
  if (canonical(got) !== canonical(want)) {
    throw new Error(`${what}\n  got  ${canonical(got)}\n  want ${canonical(want)}`);
  }
}

/**
 * An answer is the error that the specification names.
 * @param {import("./matrix.mjs").Answer} answer
 * @param {number} status
 * @param {string} errcode
 * @param {string} what
 */
export function refused(answer, status, errcode, what) {
  equal([answer.status, answer.body?.errcode], [status, errcode], what);
  equal(typeof answer.body.error, "string", `${what}: there is a text for people`);
}
