/** `/_neurite/`: what the worker says of itself, added to what the core says. */
import page from "./status.html";
import { IMAGE_MAX, INTERFACE } from "./interface.js";
import { errorResponse, ownRequest } from "./requests.js";

const ALIVE_MS = 20_000;
const ALIVE_TROUBLE_MS = 5000;

/** @typedef {import("./homeserver.js").Homeserver} Homeserver */

/**
 * The worker's own part of the path; null: the core's.
 *
 * @param {Request} request
 * @param {Homeserver} homeserver
 * @param {import("./log.js").Log} log
 * @returns {Promise<Response> | null}
 */
export function statusRoute(request, homeserver, log) {
  const { pathname, searchParams } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /_neurite":
    case "GET /_neurite/":
      return Promise.resolve(showPage());
    case "GET /_neurite/alive":
      return alive(homeserver, searchParams.get("relay") ?? "");
    case "GET /_neurite/status":
      return status(homeserver, log);
    case "POST /_neurite/stop":
      return Promise.resolve(stop(request, homeserver));
    default:
      return null;
  }
}

function showPage() {
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; connect-src 'self'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    },
  });
}

/**
 * Answers after a while, or at once when the relay's state is not what the page knows: this request
 * is what keeps the worker, and with it the homeserver, alive.
 *
 * @param {Homeserver} homeserver
 * @param {string} known
 */
async function alive(homeserver, known) {
  const until = Date.now() + ALIVE_MS;
  try {
    await homeserver.ready();
  } catch {
    await homeserver.change(ALIVE_TROUBLE_MS);
    return Response.json({ relay: "none", build: "", notice: homeserver.notice });
  }
  let relay = homeserver.relay();
  while (Date.now() < until && (relay === "unknown" || relay === known)) {
    await homeserver.change(until - Date.now());
    relay = homeserver.relay();
  }
  return Response.json({
    relay: relay === "unknown" ? "none" : relay,
    build: homeserver.build?.build ?? "",
    notice: homeserver.notice,
  });
}

/**
 * @param {Homeserver} homeserver
 * @param {import("./log.js").Log} log
 */
async function status(homeserver, log) {
  const response = await new Promise((/** @type {(value: Response) => void} */ resolve) => {
    void homeserver.request(ownRequest("GET", "/_neurite/status", resolve));
  });
  let core;
  try {
    core = await response.json();
  } catch {
    core = { error: `the homeserver answered ${response.status}` };
  }
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const { commit_ms: times, ...facts } = await homeserver.facts();
  const worker = {
    interface: INTERFACE,
    image_max_bytes: IMAGE_MAX,
    ...facts,
    quota_bytes: quota,
    usage_bytes: usage,
    commit: { n: times.length, p50_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) },
    log: log.lines(),
  };
  return Response.json({ ...core, worker });
}

/**
 * @param {number[]} values
 * @param {number} q
 */
function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return value === undefined ? null : Math.round(value * 100) / 100;
}

/**
 * @param {Request} request
 * @param {Homeserver} homeserver
 */
function stop(request, homeserver) {
  if (request.mode === "navigate") {
    return errorResponse(403, "M_FORBIDDEN", "Only a page of this origin may do that");
  }
  homeserver.stop();
  return Response.json({});
}
