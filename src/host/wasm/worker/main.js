/**
 * The service worker: hands the requests of this origin's pages to the homeserver, and keeps that one
 * running. Of Matrix it knows the three prefixes below.
 */
import { Homeserver } from "./homeserver.js";
import { Log } from "./log.js";
import { downloadModule, keepModule, keptModule } from "./module.js";
import { errorResponse, readRequest } from "./requests.js";
import { statusRoute } from "./status.js";

const PREFIXES = ["/_matrix/", "/.well-known/matrix/", "/_neurite/"];
const CHECK_MS = 10_000;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const log = new Log();
const homeserver = new Homeserver(log);

worker.addEventListener("install", (event) => {
  event.waitUntil(install());
});

/** A missing or foreign module does not keep the worker from being installed: it says what is wrong. */
async function install() {
  await worker.skipWaiting();
  try {
    if (!(await keptModule())) {
      const download = await downloadModule(null);
      if (download) {
        await keepModule(download);
      }
    }
  } catch (error) {
    log.error(`install: ${error instanceof Error ? error.message : error}`);
  }
}

worker.addEventListener("activate", (event) => {
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener("message", (event) => {
  if (event.data?.type === "claim") {
    event.waitUntil(worker.clients.claim());
  } else if (event.data?.type === "check") {
    event.waitUntil(homeserver.check());
  }
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = PREFIXES.some((prefix) => `${url.pathname}/`.startsWith(prefix));
  if (url.origin === worker.location.origin && isOurs) {
    event.respondWith(handle(event.request));
  }
});

/**
 * @param {Request} request
 * @returns {Promise<Response>}
 */
async function handle(request) {
  if (request.mode === "navigate" && request.method !== "GET") {
    // A form of a page anywhere; a fetch comes from a page of this origin only.
    return errorResponse(403, "M_FORBIDDEN", "Only a page of this origin may do that");
  }
  const own = statusRoute(request, homeserver, log);
  if (own) {
    return own;
  }
  try {
    return await new Promise((resolve, reject) => {
      readRequest(request, resolve).then((held) => {
        if (held instanceof Response) {
          resolve(held);
        } else {
          void homeserver.request(held);
        }
      }, reject);
    });
  } catch (error) {
    return errorResponse(500, "M_UNKNOWN", String(error));
  }
}

/** Looks for a new build now and then, for as long as somebody looks at a page. */
setInterval(async () => {
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.some((page) => page.visibilityState === "visible")) {
    await homeserver.check();
  }
}, CHECK_MS);
