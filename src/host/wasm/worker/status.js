/** `/_neurite/`: what the worker says of itself, added to what the core says. */
import page from "../../status.html";
import { IMAGE_MAX, INTERFACE } from "./interface.js";
import { errorResponse, ownRequest, fullResponse } from "./requests.js";
import { RefusedError } from "./moving.js";

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
  const isDeed = request.method !== "GET" && pathname.startsWith("/_neurite/");
  switch (`${request.method} ${pathname}`) {
    case "GET /_neurite":
    case "GET /_neurite/":
      return Promise.resolve(showPage());
    case "GET /_neurite/alive":
      return alive(homeserver, searchParams.get("relay") ?? "");
    case "GET /_neurite/status":
      return status(homeserver, log);
    case "GET /_neurite/metrics":
      return metrics(homeserver);
    case "POST /_neurite/stop":
      return deed(async () => homeserver.stop());
    case "POST /_neurite/export":
      return deed(() => exported(homeserver, searchParams.get("image")));
    case "POST /_neurite/import":
      return deed(async () => homeserver.moveIn(new Uint8Array(await request.arrayBuffer())));
    case "POST /_neurite/reset":
      return deed(() => reset(request, homeserver));
    default:
      // What else the core has there is the worker's to ask for.
      return isDeed
        ? Promise.resolve(errorResponse(404, "M_UNRECOGNIZED", "There is no such deed"))
        : null;
  }
}

function showPage() {
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'",
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
  const until = performance.now() + ALIVE_MS; // a clock may be set back by a day
  try {
    await homeserver.ready();
  } catch {
    await homeserver.change(ALIVE_TROUBLE_MS);
    return Response.json({ relay: "none", build: "", notice: homeserver.notice });
  }
  let relay = homeserver.relay();
  while (performance.now() < until && (relay === "unknown" || relay === known)) {
    await homeserver.change(until - performance.now());
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
 * What the core says, and what the worker knows besides, for Prometheus.
 *
 * @param {Homeserver} homeserver
 */
async function metrics(homeserver) {
  const response = await new Promise((/** @type {(value: Response) => void} */ resolve) => {
    void homeserver.request(ownRequest("GET", "/_neurite/metrics", resolve));
  });
  if (!response.ok) {
    return response;
  }
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const { commit_ms: times, flushes, deaths } = await homeserver.facts();
  const seconds = (/** @type {number} */ q) => ((quantile(times, q) ?? 0) / 1000).toFixed(6);
  const lines = [
    "# HELP neurite_commits_total durable commits since the start",
    "# TYPE neurite_commits_total counter",
    `neurite_commits_total ${flushes}`,
    "# HELP neurite_commit_seconds how long the last commits took",
    "# TYPE neurite_commit_seconds summary",
    ...(times.length > 0
      ? [0.5, 0.99].map((q) => `neurite_commit_seconds{quantile="${q}"} ${seconds(q)}`)
      : []),
    `neurite_commit_seconds_count ${flushes}`,
    "# HELP neurite_deaths instances of this worker that ended, the last ones",
    "# TYPE neurite_deaths gauge",
    `neurite_deaths ${deaths.length}`,
    "# HELP neurite_storage_bytes what this origin keeps in the browser",
    "# TYPE neurite_storage_bytes gauge",
    `neurite_storage_bytes ${usage}`,
    "# HELP neurite_storage_quota_bytes what this origin may keep in the browser",
    "# TYPE neurite_storage_quota_bytes gauge",
    `neurite_storage_quota_bytes ${quota}`,
  ];
  const text = `${await response.text()}${lines.join("\n")}\n`;
  return new Response(text, { headers: response.headers });
}

/* --- deeds -------------------------------------------------------------------------------------- */

/**
 * @param {() => Promise<Response | void>} work
 * @returns {Promise<Response>}
 */
async function deed(work) {
  try {
    return (await work()) ?? Response.json({});
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    if (error instanceof RefusedError) {
      return errorResponse(400, "M_BAD_STATE", message);
    }
    return name === "QuotaExceededError"
      ? fullResponse()
      : errorResponse(500, "M_UNKNOWN", message);
  }
}

/**
 * @param {Homeserver} homeserver
 * @param {string | null} image one that was set aside; else the homeserver itself, which rests then
 */
async function exported(homeserver, image) {
  const bytes = image === null ? await homeserver.moveOut() : await homeserver.aside(Number(image));
  return new Response(bytes, { headers: { "content-type": "application/octet-stream" } });
}

/**
 * @param {Request} request
 * @param {Homeserver} homeserver
 */
async function reset(request, homeserver) {
  const body = await request.json().catch(() => null);
  if (body?.confirm !== "reset") {
    throw new RefusedError('To delete the homeserver for good, confirm with the word "reset"');
  }
  await homeserver.reset();
}
