import { killBrowser, launchOn } from "../../browsers.mjs";
import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, install, putNote, workerFacts } from "../../worker.mjs";

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 3);

test("acknowledged writes survive kill -9 of the whole browser", async ({
  playwright,
  browserName,
  site,
  profile,
}) => {
  for (let round = 0; round < ROUNDS; round++) {
    const context = await launchOn(playwright[browserName], profile);
    const page = await context.newPage();
    await install(page, site.origin);
    if (round > 0) {
      expect(await getNote(page, `round${round - 1}`)).toBe("acknowledged");
    }
    // One write is acknowledged, many more are under way when the end comes.
    await putNote(page, `round${round}`, "acknowledged");
    await page.evaluate(() => {
      for (let i = 0; i < 50; i++) {
        fetch(`/_matrix/note/loose${i}`, { method: "PUT", body: "x".repeat(20_000) }).catch(
          () => {},
        );
      }
    });
    await killBrowser(profile);
    await context.close().catch(() => {});
  }
  const context = await launchOn(playwright[browserName], profile);
  const page = await context.newPage();
  await install(page, site.origin);
  for (let round = 0; round < ROUNDS; round++) {
    expect(await getNote(page, `round${round}`)).toBe("acknowledged");
  }
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
