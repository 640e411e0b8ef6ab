/**
 * The worker in both browsers: from stopped to its first answer, with databases of four sizes; how long a
 * commit takes in an empty one and in the largest; how long a send takes until its page has the answer.
 */
import { chromium, firefox } from "@playwright/test";
import { launchOn } from "../browsers.mjs";
import { Site } from "../services/site.mjs";
import { ask, install, killWorkers, workerFacts } from "../worker.mjs";
import { TIME } from "./figures.mjs";
import { pause, quantile } from "./measure.mjs";
import { built, inFolder } from "./place.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("./figures.mjs").Figures} Figures */

const STARTS = 10;
const SENDS = 300;
/** One after the other, in the same browser. */
const DATABASES = [
  { name: "1 MB", bytes: 1_000_000 },
  { name: "10 MB", bytes: 10_000_000, aim: 300 },
  { name: "100 MB", bytes: 100_000_000 },
];
const LARGE_TEXT = 48 * 1024;
const FOLDED_BYTES = 256 * 1024;
const FOLDED_WITHIN_MS = 20_000;

/** @param {Figures} figures */
export async function cold(figures) {
  for (const type of [chromium, firefox]) {
    await inFolder(async (profile) => {
      const site = await new Site(built("dendrite_sw.js")).start();
      site.wasm = built("dendrite.wasm");
      const context = await launchOn(type, profile);
      try {
        const page = context.pages()[0] ?? (await context.newPage());
        await install(page, site.origin);
        await life(figures, page, type.name());
      } finally {
        await context.close();
        await site.stop();
      }
    });
  }
}

/**
 * @param {Figures} figures
 * @param {Page} page
 * @param {string} browser
 */
async function life(figures, page, browser) {
  const put = (
    /** @type {string} */ name,
    /** @type {number[]} */ times,
    /** @type {number | undefined} */ aim,
  ) => {
    figures.put(`${browser}: ${name}, p50`, quantile(times, 0.5), { ...TIME, aim });
    figures.put(`${browser}: ${name}, p99`, quantile(times, 0.99), TIME);
  };
  await ask(page, "GET", "/_matrix/client/versions");
  put("cold start, empty database", await starts(page, browser), 100);

  const { token, room } = await enter(page);
  await killWorkers(page, browser);
  const write = async (/** @type {string} */ where, /** @type {number} */ aim) => {
    put(`send to answer${where}`, await sends(page, token, room, SENDS, 100), undefined);
    const { commit } = await workerFacts(page);
    figures.put(`${browser}: commit${where}, p50`, commit.p50_ms, { ...TIME, aim });
    figures.put(`${browser}: commit${where}, p99`, commit.p99_ms, TIME);
  };
  await write("", 5);
  for (const { name, bytes, aim } of DATABASES) {
    await grow(page, token, room, bytes);
    put(`cold start, ${name} database`, await starts(page, browser), aim);
  }
  await write(", 100 MB database", 5);
}

/**
 * Large messages until the database has so many bytes, and the log is folded.
 *
 * @param {Page} page
 * @param {string} token
 * @param {string} room
 * @param {number} bytes
 */
async function grow(page, token, room, bytes) {
  while ((await workerFacts(page)).database_bytes < bytes) {
    await sends(page, token, room, 20, LARGE_TEXT);
  }
  const until = Date.now() + FOLDED_WITHIN_MS;
  while ((await workerFacts(page)).log_bytes > FOLDED_BYTES && Date.now() < until) {
    await pause(500);
  }
}

/**
 * @param {Page} page
 * @param {string} browser
 * @returns {Promise<number[]>} milliseconds from a fetch that finds no worker to its answer
 */
async function starts(page, browser) {
  const times = [];
  for (let i = 0; i < STARTS; i++) {
    await killWorkers(page, browser);
    times.push(
      await page.evaluate(async () => {
        const began = performance.now();
        await (await fetch("/_matrix/client/versions")).text();
        return performance.now() - began;
      }),
    );
  }
  return times;
}

/** @param {Page} page */
async function enter(page) {
  const post = async (/** @type {string} */ path, /** @type {object} */ body, token = "") => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await ask(
      page,
      "POST",
      `/_matrix/client/v3${path}`,
      JSON.stringify(body),
      headers,
    );
    if (answer.status !== 200) {
      throw new Error(`${path}: ${answer.status} ${answer.text}`);
    }
    return answer.json;
  };
  const auth = { type: "m.login.dummy" };
  const { access_token: token } = await post("/register", {
    username: "alice",
    password: "a password that nobody guesses",
    auth,
  });
  const { room_id: room } = await post("/createRoom", { preset: "public_chat" }, token);
  return { token, room };
}

/**
 * @param {Page} page
 * @param {string} token
 * @param {string} room
 * @param {number} n
 * @param {number} size of a text
 * @returns {Promise<number[]>} milliseconds of each, as its page sees it
 */
function sends(page, token, room, n, size) {
  return page.evaluate(
    async (wanted) => {
      const times = [];
      const body = JSON.stringify({ msgtype: "m.text", body: "x".repeat(wanted.size) });
      for (let i = 0; i < wanted.n; i++) {
        const began = performance.now();
        const path = `${encodeURIComponent(wanted.room)}/send/m.room.message/${crypto.randomUUID()}`;
        const response = await fetch(`/_matrix/client/v3/rooms/${path}`, {
          method: "PUT",
          body,
          headers: { authorization: `Bearer ${wanted.token}` },
        });
        const answer = await response.text();
        if (response.status !== 200) {
          throw new Error(`${response.status} ${answer}`);
        }
        times.push(performance.now() - began);
      }
      return times;
    },
    { token, room, n, size },
  );
}
