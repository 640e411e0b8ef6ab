import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, park, putNote, workerFacts } from "../../worker.mjs";

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

test("an input that killed three times is refused, and others are not", async ({
  installed: page,
}) => {
  for (let i = 0; i < 3; i++) {
    expect((await ask(page, "POST", "/_matrix/trap", "poison")).status).toBe(500);
  }
  const refused = await ask(page, "POST", "/_matrix/trap", "poison");
  expect(refused.status).toBe(400);
  expect((await ask(page, "POST", "/_matrix/trap", "another")).status).toBe(500);
  const facts = await workerFacts(page);
  expect(facts.refused_inputs).toContainEqual(
    expect.objectContaining({ what: "POST /_matrix/trap", deaths: 3 }),
  );
  expect(facts.deaths).toHaveLength(4);
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
  const raise = () =>
    page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open("neurite", 1);
          opening.onsuccess = () => {
            const transaction = opening.result.transaction("meta", "readwrite");
            const meta = transaction.objectStore("meta");
            meta.get("generation").onsuccess = (event) => {
              const { result } = /** @type {IDBRequest<number>} */ (event.target);
              meta.put(result + 10, "generation");
            };
            transaction.oncomplete = () => resolve(opening.result.close());
            transaction.onabort = () => reject(transaction.error);
          };
          opening.onerror = () => reject(opening.error);
        }),
    );
  const { generation } = await workerFacts(page);
  await raise();
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
