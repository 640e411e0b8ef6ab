/**
 * Gets the homeserver of this origin running before the client starts, and keeps it running.
 *
 * The homeserver lives in a service worker. Until that worker is active, controls this page and
 * answers `/versions`, nothing of Matrix may be asked; a splash says what is waited for. It leaves
 * to requests.js what happens to a request that a dying worker cut off.
 */
import { Splash, showInsecureContext, showNoServiceWorkers } from "./splash";

const WORKER_URL = "/dendrite_sw.js";
const VERSIONS_URL = "/_matrix/client/versions";
const ALIVE_URL = "/_neurite/alive";
const UPDATE_CHECK_MS = 30 * 60 * 1000;
const CLAIM_AGAIN_MS = 500;
const CONTROL_WAIT_MS = 10 * 1000;
const VERSIONS_AGAIN_MS = 500;
const FAILED_AGAIN_MS = 2000;
const ALIVE_AFTER_ERROR_MS = 1000;
const NEVER = new Promise(() => {});

/**
 * What the worker says of itself; `notice` is a sentence for people, if it has one.
 *
 * @typedef {{ relay: "up" | "down" | "none", build: string, notice?: string }} Alive
 */

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Resolves when the homeserver answers. Never resolves where no service worker can be: then the page
 * says why, and there is nothing for the client to start on.
 *
 * @param {(alive: Alive) => void} onAlive called with each answer of the keep-alive, for ever after
 * @returns {Promise<void>}
 */
export async function startHomeserver(onAlive) {
  if (!window.isSecureContext) {
    showInsecureContext();
    await NEVER;
  }
  if (!("serviceWorker" in navigator)) {
    showNoServiceWorkers();
    await NEVER;
  }
  const splash = new Splash();
  splash.say("Installing the homeserver in this browser…");
  const registration = await register(splash);
  setInterval(() => registration.update().catch(() => {}), UPDATE_CHECK_MS);
  splash.say("Waiting for the homeserver to take over this page…");
  while (!(await controlled(CONTROL_WAIT_MS))) {
    splash.say("Still waiting for the homeserver to take over this page…");
  }
  void keepAlive(onAlive);
  splash.say("Waiting for the homeserver in this browser to answer…");
  await answering(splash);
  splash.remove();
}

/**
 * Registers the worker, again and again until it is active: the server may be just coming up.
 *
 * @param {Splash} splash
 * @returns {Promise<ServiceWorkerRegistration>}
 */
async function register(splash) {
  for (;;) {
    try {
      // updateViaCache: a stale copy in the HTTP cache would hide a new worker for a day.
      const registration = await navigator.serviceWorker.register(WORKER_URL, {
        scope: "/",
        updateViaCache: "none",
      });
      await activated(registration);
      return registration;
    } catch (error) {
      splash.fail(
        "The homeserver cannot be installed",
        `${WORKER_URL}: ${error instanceof Error ? error.message : String(error)}`,
      );
      await pause(FAILED_AGAIN_MS);
    }
  }
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @returns {Promise<void>} rejects when the first worker of this origin failed to install
 */
function activated(registration) {
  return new Promise((resolve, reject) => {
    const worker = registration.active || registration.waiting || registration.installing;
    if (!worker) {
      reject(new Error("the browser dropped the service worker"));
      return;
    }
    const look = () => {
      if (registration.active) {
        resolve();
      } else if (worker.state === "redundant") {
        reject(new Error("the service worker failed while it was installed"));
      }
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/**
 * Waits until a worker controls this page. After a hard reload none does, although one is active:
 * it is asked to claim its pages.
 *
 * @param {number} limitMs
 * @returns {Promise<boolean>} false if none did within the limit
 */
export async function controlled(limitMs) {
  const until = Date.now() + limitMs;
  while (!navigator.serviceWorker.controller) {
    const left = until - Date.now();
    if (left <= 0) {
      return false;
    }
    const registration = await navigator.serviceWorker.getRegistration("/");
    if (registration && registration.active) {
      registration.active.postMessage({ type: "claim" });
    }
    await controllerChange(Math.min(left, CLAIM_AGAIN_MS));
  }
  return true;
}

/**
 * @param {number} limitMs
 * @returns {Promise<void>}
 */
function controllerChange(limitMs) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      navigator.serviceWorker.removeEventListener("controllerchange", done);
      resolve();
    };
    const timer = setTimeout(done, limitMs);
    navigator.serviceWorker.addEventListener("controllerchange", done);
  });
}

/**
 * Asks `/versions` until it answers 200. What a 503 says (no wasm, a foreign interface number) goes
 * on the page as it is, and the asking goes on: a new file may be put in its place at any moment.
 *
 * @param {Splash} splash
 * @returns {Promise<void>}
 */
async function answering(splash) {
  for (;;) {
    const trouble = await askVersions();
    if (trouble === null) {
      return;
    }
    if (trouble) {
      splash.fail("The homeserver in this browser cannot start", trouble);
    }
    await pause(trouble ? FAILED_AGAIN_MS : VERSIONS_AGAIN_MS);
    await controlled(CONTROL_WAIT_MS);
  }
}

/** @returns {Promise<string | null>} null: it answers; "": not yet; else what is wrong, for people */
async function askVersions() {
  try {
    const response = await fetch(VERSIONS_URL, { cache: "no-store" });
    if (response.ok) {
      return null;
    }
    const body = await response.json();
    return typeof body.error === "string" ? body.error : `${VERSIONS_URL}: ${response.status}`;
  } catch (error) {
    return ""; // the worker died under the request, or is being replaced
  }
}

/**
 * Keeps one request open at the worker, all the time: a worker with nothing to do is ended by the
 * browser after 30 seconds. The next request is issued from the completion of the last one, not by a
 * timer, since timers of hidden pages are throttled to one a minute. The query says what this page
 * knows, so that the worker can answer at once when the relay comes or goes.
 *
 * @param {(alive: Alive) => void} onAlive
 * @returns {Promise<never>}
 */
async function keepAlive(onAlive) {
  let relay = "";
  let last = "";
  for (;;) {
    try {
      const asked = Date.now();
      const response = await fetch(`${ALIVE_URL}?relay=${relay}`, { cache: "no-store" });
      if (!response.ok) {
        throw new Error(`${ALIVE_URL}: ${response.status}`);
      }
      /** @type {Alive} */
      const alive = await response.json();
      const nothingNew = JSON.stringify(alive) === last;
      last = JSON.stringify(alive);
      relay = alive.relay;
      onAlive(alive);
      if (nothingNew && Date.now() - asked < ALIVE_AFTER_ERROR_MS) {
        await pause(ALIVE_AFTER_ERROR_MS); // a worker that does not hold the request open
      }
    } catch (error) {
      await pause(ALIVE_AFTER_ERROR_MS);
      await controlled(CONTROL_WAIT_MS);
    }
  }
}
