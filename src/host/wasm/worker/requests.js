/**
 * From a fetch to what the core takes, and from its RESPOND to what a page gets. The errors here are
 * the host's own, in the form that Matrix gives to errors; nothing else of Matrix is known.
 */

const BODY_MAX = 1024 * 1024;
const NO_BODY = [101, 103, 204, 205, 304];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A request that the core has, or will have.
 *
 * @typedef {object} Held
 * @property {string} method
 * @property {string} path with the query
 * @property {Uint8Array<ArrayBuffer>} head
 * @property {Uint8Array<ArrayBuffer>} body
 * @property {number} runs how many instances had it so far
 * @property {(response: Response) => void} answer
 */

/**
 * @param {number} status
 * @param {string} errcode
 * @param {string} error
 * @param {object} [more]
 */
export function errorResponse(status, errcode, error, more = {}) {
  return Response.json({ errcode, error, ...more }, { status });
}

/** What a write gets when the browser has no more room. */
export function fullResponse() {
  return errorResponse(
    403,
    "M_RESOURCE_LIMIT_EXCEEDED",
    "This browser's storage is full: nothing more can be written",
    { admin_contact: "", limit_type: "storage" },
  );
}

/**
 * @param {string} text of ISO-8859-1, as header values are
 * @returns {Uint8Array<ArrayBuffer>}
 */
function latin1(text) {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/**
 * Reads a request whole.
 *
 * @param {Request} request
 * @param {(response: Response) => void} answer
 * @returns {Promise<Held | Response>} a response is a refusal
 */
export async function readRequest(request, answer) {
  const url = new URL(request.url);
  const path = url.pathname + url.search;
  const tooLarge = () => errorResponse(413, "M_TOO_LARGE", "A body has at most 1 MiB");
  if (Number(request.headers.get("content-length") ?? 0) > BODY_MAX) {
    return tooLarge();
  }
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const body = new Uint8Array(hasBody ? await request.arrayBuffer() : []);
  if (body.length > BODY_MAX) {
    return tooLarge();
  }
  let head = `${request.method} ${path} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const [name, value] of request.headers) {
    if (name !== "host" && name !== "content-length") {
      head += `${name}: ${value}\r\n`;
    }
  }
  head += `content-length: ${body.length}\r\n\r\n`;
  return { method: request.method, path, head: latin1(head), body, runs: 0, answer };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {(response: Response) => void} answer
 * @returns {Held} a request of the worker's own
 */
export function ownRequest(method, path, answer) {
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${self.location.host}\r\ncontent-length: 0\r\n\r\n`;
  return {
    method,
    path,
    head: encoder.encode(head),
    body: new Uint8Array(),
    runs: 0,
    answer,
  };
}

/** @param {Held} held */
export function isRead(held) {
  return held.method === "GET" || held.method === "HEAD";
}

/**
 * @param {import("./core.js").Effect} effect RESPOND
 * @returns {Response}
 */
export function writeResponse({ status, head, bytes }) {
  const headers = new Headers();
  for (const line of decoder.decode(head).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) {
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  }
  return new Response(NO_BODY.includes(status) ? null : bytes, { status, headers });
}
