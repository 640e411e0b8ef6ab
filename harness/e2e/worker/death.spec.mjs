import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, killWorkers, park, putNote, workerFacts } from "../../worker.mjs";

test("after a trap the homeserver starts again on what was durable", async ({
  installed: page,
}) => {
  await putNote(page, "a", "kept");
  const trap = await ask(page, "POST", "/_matrix/trap");
  expect(trap.status).toBe(500);
  expect(trap.json.errcode).toBe("M_UNKNOWN");
  expect(await getNote(page, "a")).toBe("kept");
  await putNote(page, "b", "written after");
  const { deaths } = await workerFacts(page);
  expect(deaths.map((/** @type {any} */ death) => death.reason)).toEqual(["trap"]);
});

test("an assertion leaves its sentence in the log", async ({ installed: page }) => {
  expect((await ask(page, "POST", "/_matrix/abort")).status).toBe(500);
  const { log } = await workerFacts(page);
  expect(log.join("\n")).toContain("assertion failed: str_is_empty(path)");
});

test("a long poll goes on across a death, and a write that was held gets the error", async ({
  installed: page,
}) => {
  const { woken } = await park(page);
  await putNote(page, "a", "1");
  expect(await woken).toEqual({ woken: true });
  const again = page.evaluate(() => fetch("/_matrix/park").then((response) => response.json()));
  const held = page.evaluate(() =>
    fetch("/_matrix/park", { method: "POST" }).then((response) => response.status),
  );
  await expect.poll(async () => (await workerFacts(page)).requests_open).toBe(2);
  expect((await ask(page, "POST", "/_matrix/die")).status).toBe(500);
  expect(await held).toBe(500);
  await putNote(page, "b", "2");
  expect(await again).toEqual({ woken: true });
});

test("an input that killed three times is refused, by the next worker too, and others are not", async ({
  installed: page,
  browserName,
}) => {
  for (let i = 0; i < 3; i++) {
    const trap = await ask(page, "POST", "/_matrix/trap?access_token=secret", "poison");
    expect(trap.status).toBe(500);
    await getNote(page, "none"); // the death is written down before the next life
    await killWorkers(page, browserName);
  }
  const refused = await ask(page, "POST", "/_matrix/trap?access_token=secret", "poison");
  expect(refused.status).toBe(400);
  expect((await ask(page, "POST", "/_matrix/trap", "another")).status).toBe(500);
  const facts = await workerFacts(page);
  expect(facts.refused_inputs).toContainEqual(
    expect.objectContaining({ what: "POST /_matrix/trap", deaths: 3 }),
  );
  expect(facts.deaths).toHaveLength(1);
  expect(JSON.stringify(facts), "tokens are not shown").not.toContain("secret");
});

test("the stop button drops the instance, and the next request starts another", async ({
  installed: page,
  site,
}) => {
  await putNote(page, "a", "kept");
  const before = (await workerFacts(page)).generation;
  await page.goto(`${site.origin}/_neurite/`);
  await expect(page.locator("#state")).toHaveText("running");
  await expect(page.locator("#build")).toContainText("0.1.0-");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect.poll(async () => (await workerFacts(page)).generation).toBeGreaterThan(before);
  expect(await getNote(page, "a")).toBe("kept");
});

test("another instance's generation silences this one, and the next reads what that one wrote", async ({
  installed: page,
}) => {
  await putNote(page, "a", "before");
  const { generation } = await workerFacts(page);
  await changeFact(page, "generation", 10);
  expect((await ask(page, "PUT", "/_matrix/note/a", "lost")).status).toBe(0);
  expect(await getNote(page, "a")).toBe("before");
  const facts = await workerFacts(page);
  expect(facts.generation).toBe(generation + 11);
  expect(facts.deaths.at(-1).reason).toBe("fence");
  await putNote(page, "a", "after");
});

test("a torn image is set aside and reported, and stays where it is", async ({
  installed: page,
  browserName,
}) => {
  await putNote(page, "a", "1");
  const records = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("neurite", 1);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("log", "readwrite");
          const log = transaction.objectStore("log");
          log.openCursor(null, "prev").onsuccess = (event) => {
            const cursor = /** @type {IDBRequest<IDBCursorWithValue>} */ (event.target).result;
            cursor.value.bytes[100] ^= 1;
            cursor.update(cursor.value);
          };
          const count = log.count();
          transaction.oncomplete = () => {
            opening.result.close();
            resolve(count.result);
          };
          transaction.onabort = () => reject(transaction.error);
        };
      }),
  );
  expect(records).toBeGreaterThan(0);
  await ask(page, "POST", "/_neurite/stop");
  expect(await getNote(page, "a"), browserName).toBe("status 404");
  const { set_aside: aside, log } = await workerFacts(page);
  expect(aside).toHaveLength(1);
  expect(aside[0].why).toContain("is damaged");
  expect(log.join("\n")).toContain("the image is set aside");
  await putNote(page, "a", "new");
});

test("an image of a newer format is left alone with a sentence, and works when it is known", async ({
  installed: page,
}) => {
  await putNote(page, "a", "kept");
  await ask(page, "POST", "/_neurite/stop");
  await changeFact(page, "head:0", 1);
  const refused = await ask(page, "GET", "/_matrix/note/a");
  expect(refused.status).toBe(503);
  expect(refused.json.error).toContain("its image has format 2, and this one knows 1");
  expect((await ask(page, "PUT", "/_matrix/note/a", "lost")).status).toBe(503);
  await changeFact(page, "head:0", -1);
  expect(await getNote(page, "a")).toBe("kept");
  expect((await workerFacts(page)).set_aside).toEqual([]);
});

test("two workers at one image take turns, and what either acknowledged is there", async ({
  installed: first,
  context,
  browserName,
  site,
}) => {
  // The same script under another scope is another worker over the same storage.
  const second = await context.newPage();
  await second.goto(`${site.origin}/second/`);
  await second.evaluate(async () => {
    const registration = await navigator.serviceWorker.register("/dendrite_sw.js?second", {
      scope: "/second/",
      updateViaCache: "none",
    });
    const worker = registration.installing;
    while (registration.active === null) {
      await new Promise((again) => worker?.addEventListener("statechange", again, { once: true }));
    }
  });
  await second.reload();
  await putNote(first, "a", "of the first");
  const { generation } = await workerFacts(first);
  const kept = /** @type {string[]} */ ([]);
  for (let i = 0; i < 2; i++) {
    const write = (
      /** @type {import("@playwright/test").Page} */ page,
      /** @type {string} */ name,
    ) =>
      ask(page, "PUT", `/_matrix/note/${name}`, name).then(
        ({ status }) => status === 200 && kept.push(name),
      );
    await Promise.all([write(first, `first${i}`), write(second, `second${i}`)]);
  }
  await killWorkers(first, browserName);
  for (const name of kept) {
    expect(await getNote(first, name)).toBe(name);
  }
  expect(kept.length).toBeGreaterThan(0);
  expect((await workerFacts(first)).generation).toBeGreaterThan(generation + 1);
});

/**
 * Adds to a number among the facts beside the image, or to the format in a head, behind the worker's back.
 *
 * @param {import("@playwright/test").Page} page
 * @param {string} name
 * @param {number} more
 */
const changeFact = (page, name, more) =>
  page.evaluate(
    ([fact, n]) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("neurite", 1);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("meta", "readwrite");
          const meta = transaction.objectStore("meta");
          meta.get(fact).onsuccess = (event) => {
            const { result } = /** @type {IDBRequest<any>} */ (event.target);
            const isHead = typeof result === "object";
            meta.put(isHead ? { ...result, format: result.format + n } : result + n, fact);
          };
          transaction.oncomplete = () => resolve(opening.result.close());
          transaction.onabort = () => reject(transaction.error);
        };
        opening.onerror = () => reject(opening.error);
      }),
    /** @type {[string, number]} */ ([name, more]),
  );
