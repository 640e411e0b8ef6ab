/** Verbs for tests of the service worker: install it, ask it, end it. */
import { expect } from "@playwright/test";
import { Server } from "../test/client/matrix.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {{ status: number, text: string, json: any, headers: Record<string, string> }} Answer */

const END_WORKERS = `(async () => {
  const manager = Cc["@mozilla.org/serviceworkers/manager;1"].getService(Ci.nsIServiceWorkerManager);
  const registrations = manager.getAllRegistrations();
  for (let i = 0; i < registrations.length; i++) {
    const found = registrations.queryElementAt(i, Ci.nsIServiceWorkerRegistrationInfo);
    await found.activeWorker?.terminateWorker();
  }
})()`;

/**
 * Runs JavaScript in Firefox's own scope, over the connection that Playwright has. This is Playwright's
 * inside: the version is pinned.
 *
 * @param {Page} page
 * @param {string} expression
 */
export async function firefoxChrome(page, expression) {
  const context = /** @type {any} */ (page.context());
  const inside = context._connection.toImpl(context);
  const session = inside._browser._browserSession;
  const { contexts } = await session.send("browsingContext.getTree", { "moz:scope": "chrome" });
  const result = await session.send("script.evaluate", {
    target: { context: contexts[0].context },
    awaitPromise: true,
    resultOwnership: "none",
    expression,
  });
  if (result.type !== "success") {
    throw new Error(`firefox: ${JSON.stringify(result)}`);
  }
}

/**
 * Ends every running service worker at once; the next fetch starts another.
 *
 * @param {Page} page
 * @param {string} browserName
 */
export async function killWorkers(page, browserName) {
  if (browserName === "firefox") {
    await firefoxChrome(page, END_WORKERS);
    return;
  }
  const session = await page.context().newCDPSession(page);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await session.detach();
}

/**
 * Opens a page of the origin and waits until the worker controls it.
 *
 * @param {Page} page
 * @param {string} origin
 */
export async function install(page, origin) {
  await page.goto(`${origin}/`);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("/dendrite_sw.js", {
      scope: "/",
      updateViaCache: "none",
    });
    const { active } = await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) {
      const changed = new Promise((resolve) =>
        navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
      );
      active?.postMessage({ type: "claim" });
      await changed;
    }
  });
}

/**
 * @param {Page} page
 * @param {string} method
 * @param {string} path
 * @param {string} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>} status 0: a network error
 */
export async function ask(page, method, path, body, headers) {
  const answer = await page.evaluate(
    async (/** @type {any} */ wanted) => {
      try {
        const response = await fetch(wanted.path, {
          method: wanted.method,
          body: wanted.body,
          headers: wanted.headers,
          cache: "no-store",
        });
        return {
          status: response.status,
          text: await response.text(),
          headers: Object.fromEntries(response.headers),
        };
      } catch (error) {
        return { status: 0, text: String(error), headers: {} };
      }
    },
    { method, path, body, headers },
  );
  let json = null;
  try {
    json = JSON.parse(answer.text);
  } catch {
    // not JSON
  }
  return { ...answer, json };
}

/**
 * @param {Page} page
 * @param {string} name
 * @param {string} body
 */
export async function putNote(page, name, body) {
  const { status, text } = await ask(page, "PUT", `/_matrix/note/${name}`, body);
  expect(status, text).toBe(200);
}

/**
 * @param {Page} page
 * @param {string} name
 * @returns {Promise<string>} what the note says, or the status where there is none
 */
export async function getNote(page, name) {
  const { status, text } = await ask(page, "GET", `/_matrix/note/${name}`);
  return status === 200 ? text : `status ${status}`;
}

/**
 * @param {Page} page
 * @returns {Promise<any>} the worker's part of /_neurite/status
 */
export async function workerFacts(page) {
  const { json, text } = await ask(page, "GET", "/_neurite/status");
  expect(json, text).toBeTruthy();
  return json.worker;
}

/**
 * A long poll of the page, which waits in the worker when this returns.
 *
 * @param {Page} page
 * @returns {Promise<{ woken: Promise<any> }>} what it is answered when a note is put
 */
export async function park(page) {
  const woken = page.evaluate(() => fetch("/_matrix/park").then((response) => response.json()));
  await expect.poll(async () => (await workerFacts(page)).requests_open).toBe(1);
  return { woken };
}

/** @param {Page} page */
export const buildOf = async (page) => (await workerFacts(page)).build?.build;

/** @param {Page} page The worker looks for a new build now. */
export const check = (page) =>
  page.evaluate(() => navigator.serviceWorker.controller?.postMessage({ type: "check" }));

/** @typedef {{ method: string, path: string, body?: string, headers?: Record<string, string> }} Wanted */

/**
 * Begins requests of the page, which repeats each as the client does: under the same id, when the network
 * seems to fail. Returns while they are under way; `answersOf` waits for them.
 *
 * @param {Page} page
 * @param {Wanted[]} requests
 */
export const begin = (page, requests) =>
  page.evaluate((wanted) => {
    const repeat = async (/** @type {any} */ { path, ...init }) => {
      for (let attempt = 0; ; attempt++) {
        try {
          const response = await fetch(path, init);
          return { status: response.status, text: await response.text() };
        } catch (error) {
          if (attempt === 5) {
            return { status: 0, text: `${path}: ${error}` };
          }
          await new Promise((again) => setTimeout(again, attempt * 100));
        }
      }
    };
    /** @type {any} */ (window).answers = Promise.all(wanted.map(repeat));
  }, requests);

/**
 * @param {Page} page
 * @returns {Promise<{ status: number, text: string }[]>} to what `begin` began
 */
export const answersOf = (page) => page.evaluate(() => /** @type {any} */ (window).answers);

/**
 * Keeps every commit of the worker waiting, from when this returns until `letCommit`: no other transaction
 * on the store can begin while the page's has something to do.
 *
 * @param {Page} page
 */
export const holdCommits = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const state = /** @type {any} */ (window);
        const opening = indexedDB.open("neurite", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const meta = opening.result.transaction("meta", "readwrite").objectStore("meta");
          Object.assign(state, { held: true, reads: 0 });
          const hold = () => {
            state.reads += 1;
            resolve(undefined);
            if (state.held) {
              meta.get("current").onsuccess = hold;
            } else {
              opening.result.close();
            }
          };
          meta.get("current").onsuccess = hold;
        };
      }),
  );

/**
 * Waits, while commits are held, for so many reads of the database.
 *
 * @param {Page} page
 * @param {number} reads
 */
export const wait = (page, reads) =>
  page.evaluate(async (n) => {
    const state = /** @type {any} */ (window);
    const until = state.reads + n;
    while (state.reads < until) {
      await new Promise((look) => setTimeout(look));
    }
  }, reads);

/** @param {Page} page */
export const letCommit = (page) =>
  page.evaluate(() => {
    /** @type {any} */ (window).held = false;
  });

/**
 * The client of test/client, sitting in node, whose requests a page makes.
 *
 * @param {Page} page
 */
export function serverOf(page) {
  return new Server(new URL(page.url()).origin, async (url, init = {}) => {
    const answer = await page.evaluate(
      async (/** @type {any} */ wanted) => {
        const response = await fetch(wanted.url, wanted);
        return {
          text: await response.text(),
          status: response.status,
          headers: [...response.headers],
        };
      },
      { url, method: init.method, headers: init.headers, body: init.body },
    );
    return new Response(answer.text, { status: answer.status, headers: answer.headers });
  });
}
