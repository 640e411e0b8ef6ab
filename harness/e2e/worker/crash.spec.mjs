import { killBrowser, launchOn } from "../../browsers.mjs";
import { tell } from "../../../test/client/reliability.mjs";
import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, install, putNote, workerFacts } from "../../worker.mjs";

/** How often the whole browser is killed (5; 50 in the nightly run). */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 5);
const WRITERS = 8;
const WRITES_MAX = 100;
const SIZE = 2000;

/**
 * Writers that go on until the end; what is acknowledged is noted in the page.
 *
 * @param {import("@playwright/test").Page} page
 * @param {string} prefix of the names of the notes, which are what the notes begin with
 */
const write = (page, prefix) =>
  page.evaluate(
    ({ first, writers, writes, size }) => {
      const state = /** @type {any} */ (window);
      state.acknowledged = [];
      for (let writer = 0; writer < writers; writer++) {
        void (async () => {
          for (let i = 0; i < writes; i++) {
            const name = `${first}-${writer}-${i}`;
            const body = name.padEnd(size, "x");
            const { status } = await fetch(`/_matrix/note/${name}`, { method: "PUT", body });
            if (status === 200) {
              state.acknowledged.push(name);
            }
          }
        })();
      }
    },
    { first: prefix, writers: WRITERS, writes: WRITES_MAX, size: SIZE },
  );

/**
 * Waits until so many are acknowledged.
 *
 * @param {import("@playwright/test").Page} page
 * @param {number} n
 * @returns {Promise<string[]>} which
 */
async function acknowledged(page, n) {
  await page.waitForFunction(
    (least) => /** @type {any} */ (window).acknowledged.length >= least,
    n,
  );
  return page.evaluate(() => [.../** @type {any} */ (window).acknowledged]);
}

/**
 * @param {import("@playwright/test").Page} page
 * @param {string[]} names
 * @returns {Promise<string[]>} those of the notes that are not as they were put
 */
const missing = (page, names) =>
  page.evaluate(
    async ({ wanted, size }) => {
      const gone = [];
      for (const name of wanted) {
        const text = await (await fetch(`/_matrix/note/${name}`)).text();
        if (text !== name.padEnd(size, "x")) {
          gone.push(name);
        }
      }
      return gone;
    },
    { wanted: names, size: SIZE },
  );

test(`acknowledged writes survive ${ROUNDS} kills -9 of the whole browser under load`, async ({
  playwright,
  browserName,
  site,
  profile,
}) => {
  test.setTimeout(120_000 + ROUNDS * 30_000);
  /** @type {string[]} */
  const all = [];
  for (let round = 0; round < ROUNDS; round++) {
    const context = await launchOn(playwright[browserName], profile);
    const page = await context.newPage();
    await install(page, site.origin);
    await write(page, `r${round}`);
    all.push(...(await acknowledged(page, 1 + ((round * 7) % 23))));
    await killBrowser(profile);
    await context.close().catch(() => {});
  }
  const context = await launchOn(playwright[browserName], profile);
  const page = await context.newPage();
  await install(page, site.origin);
  const lost = await missing(page, all);
  await tell({
    fault: `the whole browser is killed -9 under load, ${browserName}`,
    injected: ROUNDS,
    acknowledged: all.length,
    lost: lost.length,
    command: `make reliability PARTS=browsers CRASH_ROUNDS=${ROUNDS}`,
  });
  expect(lost).toEqual([]);
  expect((await workerFacts(page)).set_aside).toEqual([]);
  await context.close();
});

test("full storage is 403 on writes, reads go on, and writes come back when there is room", async ({
  playwright,
  browserName,
  site,
  profile,
}) => {
  const context = await launchOn(playwright[browserName], profile, {
    "dom.quotaManager.temporaryStorage.fixedLimit": 40 * 1024,
  });
  const page = await context.newPage();
  await install(page, site.origin);
  if (browserName === "chromium") {
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", {
      origin: site.origin,
      quotaSize: 30 * 1024 * 1024,
    });
  }
  await putNote(page, "a", "before");
  await ballast(page, 4 * 1024 * 1024);
  let answer;
  for (let i = 0; i < 200; i++) {
    answer = await ask(page, "POST", `/_matrix/fill/${500_000 + i}`);
    if (answer.status !== 200) {
      break;
    }
  }
  expect(answer?.status, answer?.text).toBe(403);
  expect(answer?.json).toMatchObject({ errcode: "M_RESOURCE_LIMIT_EXCEEDED", admin_contact: "" });
  expect(answer?.json.limit_type).toBeTruthy();
  expect(await getNote(page, "a")).toBe("before");
  const write = await ask(page, "PUT", "/_matrix/note/b", "x".repeat(1_000_000));
  expect(write.status).toBe(403);
  expect((await workerFacts(page)).read_only).toBe(true);
  expect(await getNote(page, "a")).toBe("before");

  await ballast(page, 0);
  await expect
    .poll(async () => (await ask(page, "PUT", "/_matrix/note/c", "after")).status)
    .toBe(200);
  expect(await getNote(page, "a")).toBe("before");
  expect(await getNote(page, "c")).toBe("after");
  expect((await workerFacts(page)).read_only).toBe(false);
  await context.close();
});

/**
 * Fills a part of the origin's storage with something that is not the homeserver's; 0 frees it.
 *
 * @param {import("@playwright/test").Page} page
 * @param {number} size
 */
async function ballast(page, size) {
  await page.evaluate(
    (bytes) =>
      new Promise((resolve, reject) => {
        if (bytes === 0) {
          const removing = indexedDB.deleteDatabase("ballast");
          removing.onsuccess = () => resolve(undefined);
          removing.onerror = () => reject(removing.error);
          return;
        }
        const opening = indexedDB.open("ballast", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("parts");
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("parts", "readwrite");
          for (let i = 0; i * 65536 < bytes; i++) {
            const part = crypto.getRandomValues(new Uint8Array(65536));
            transaction.objectStore("parts").put(part, i);
          }
          transaction.oncomplete = () => {
            opening.result.close();
            resolve(undefined);
          };
          transaction.onabort = () => reject(transaction.error);
        };
        opening.onerror = () => reject(opening.error);
      }),
    size,
  );
}
