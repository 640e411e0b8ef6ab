/**
 * Requests to the page's own homeserver survive the death of its service worker.
 *
 * A browser may end the worker in the middle of a request; the page then sees a network error and
 * cannot know whether the request ran. So each request that changes something carries an id, and is
 * repeated under the same id: the homeserver runs it once and answers twice. Requests to anywhere
 * else pass through untouched.
 */
import { controlled, pause } from "./homeserver";

export const REQUEST_ID_HEADER = "Neurite-Request-Id";
/** Before each repeat. A worker that was merely ended is back at once; it may be ended again. */
const REPEAT_AFTER_MS = [0, 250, 1000, 2000, 4000];
const CONTROL_WAIT_MS = 10 * 1000;

/**
 * @param {string} url
 * @returns {boolean}
 */
export function isOwnOrigin(url) {
  try {
    return new URL(url, location.href).origin === location.origin;
  } catch (error) {
    return false;
  }
}

/** @returns {string} */
export function newRequestId() {
  return crypto.randomUUID();
}

/**
 * Waits before a repeat until a worker is there to take it.
 *
 * @param {number} repeat 0 for the first
 * @returns {Promise<boolean>} false: no more repeats
 */
export async function readyToRepeat(repeat) {
  if (repeat >= REPEAT_AFTER_MS.length) {
    return false;
  }
  await pause(REPEAT_AFTER_MS[repeat]);
  return controlled(CONTROL_WAIT_MS);
}

/**
 * @typedef {(error: any, response?: any, body?: any) => void} Callback
 * @typedef {(options: any, callback: Callback) => any} Request browser-request's function
 */

/**
 * @param {any} error
 * @param {any} response
 * @returns {boolean} no answer came, by no fault of ours (a time-out is the caller's own)
 */
function isNetworkError(error, response) {
  return !error && Boolean(response) && response.status === 0;
}

/**
 * browser-request, with an id on what is not a GET and with repeats.
 *
 * @param {Request} request
 * @param {any} options
 * @param {Callback} callback
 * @returns {any} what its callers use of an XMLHttpRequest: abort() and onprogress
 */
export function ownOriginRequest(request, options, callback) {
  if (!isOwnOrigin(options.uri)) {
    return request(options, callback);
  }
  if (options.method && options.method !== "GET") {
    const id = newRequestId();
    options = { ...options, headers: { ...options.headers, [REQUEST_ID_HEADER]: id } };
  }
  let aborted = false;
  /** @type {XMLHttpRequest} */
  let xhr;
  const handle = {
    /** @type {((event: ProgressEvent) => void) | null} */
    onprogress: null,
    abort() {
      aborted = true;
      xhr.abort();
    },
  };
  /** @param {number} repeat */
  const attempt = (repeat) => {
    xhr = request(options, (error, response, body) => {
      if (aborted || !isNetworkError(error, response)) {
        callback(error, response, body);
        return;
      }
      void readyToRepeat(repeat).then((ready) => {
        if (ready && !aborted) {
          attempt(repeat + 1);
        } else {
          callback(new Error("the homeserver did not answer"), response, body);
        }
      });
    });
    xhr.onprogress = (event) => handle.onprogress && handle.onprogress(event);
  };
  attempt(0);
  return handle;
}
