import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, killWorkers, park, putNote, workerFacts } from "../../worker.mjs";

test("a request is answered by the homeserver in the worker", async ({ installed: page }) => {
  const { status, json, headers } = await ask(page, "GET", "/_matrix/client/versions");
  expect(status).toBe(200);
  expect(json.versions).toContain("v1.1");
  expect(headers["content-type"]).toBe("application/json");
});

test("head and body arrive as they were sent", async ({ installed: page, site }) => {
  const { text } = await ask(page, "POST", "/_matrix/head?a=%20b&a=c", "four", {
    authorization: "Bearer secret",
    "x-latin": "caf\u00e9",
  });
  const lines = text.split("\r\n");
  expect(lines[0]).toBe("POST /_matrix/head?a=%20b&a=c HTTP/1.1");
  expect(lines).toContain(`host: localhost:${site.port}`);
  expect(lines).toContain("authorization: Bearer secret");
  expect(lines).toContain("content-length: 4");
  expect(lines.slice(-2)).toEqual(["", ""]);
});

test("a body of more than 1 MiB is refused with 413", async ({ installed: page }) => {
  const { status, json } = await ask(page, "PUT", "/_matrix/note/big", "x".repeat(1024 * 1024 + 1));
  expect(status).toBe(413);
  expect(json.errcode).toBe("M_TOO_LARGE");
  await putNote(page, "big", "x".repeat(1024 * 1024));
});

test("requests during a start wait for one instance", async ({ installed: page, browserName }) => {
  await putNote(page, "a", "1");
  const before = (await workerFacts(page)).generation;
  await killWorkers(page, browserName);
  const texts = await page.evaluate(() =>
    Promise.all(
      Array.from({ length: 10 }, () =>
        fetch("/_matrix/note/a").then((response) => response.text()),
      ),
    ),
  );
  expect(texts).toEqual(Array(10).fill("1"));
  expect((await workerFacts(page)).generation).toBe(before + 1);
});

test("an acknowledged write survives the death of the worker", async ({
  installed: page,
  browserName,
}) => {
  for (let i = 0; i < 10; i++) {
    await putNote(page, `note${i}`, `text ${i}`);
    await killWorkers(page, browserName);
    expect(await getNote(page, `note${i}`)).toBe(`text ${i}`);
  }
  expect(await getNote(page, "note0")).toBe("text 0");
});

test("a write is not answered before its commit", async ({ installed: page }) => {
  await putNote(page, "a", "1");
  const order = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = /** @type {string[]} */ ([]);
        const note = (/** @type {string} */ what) => seen.push(what) === 2 && resolve(seen);
        const opening = indexedDB.open("neurite", 1);
        opening.onsuccess = () => {
          // No other transaction on the store can begin while this one has something to do.
          const transaction = opening.result.transaction("meta", "readwrite");
          const until = performance.now() + 500;
          const hold = () => {
            if (performance.now() < until) {
              transaction.objectStore("meta").get("current").onsuccess = hold;
            }
          };
          hold();
          transaction.oncomplete = () => note("committable");
          fetch("/_matrix/note/a", { method: "PUT", body: "2" }).then(() => note("answered"));
        };
      }),
  );
  expect(order).toEqual(["committable", "answered"]);
});

test("many writes at once are all there after the death of the worker", async ({
  installed: page,
  browserName,
}) => {
  const statuses = await page.evaluate(() =>
    Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        fetch(`/_matrix/note/n${i}`, { method: "PUT", body: "x".repeat(i * 10) }).then(
          (r) => r.status,
        ),
      ),
    ),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  await killWorkers(page, browserName);
  const { json } = await ask(page, "GET", "/_neurite/status");
  expect(json.notes).toBe(200);
  expect(await getNote(page, "n199")).toBe("x".repeat(1990));
});

test("a long log is folded into the extents, and nothing is lost", async ({
  installed: page,
  browserName,
}) => {
  for (let i = 0; i < 12; i++) {
    await ask(page, "POST", "/_matrix/fill/600000");
    await putNote(page, `n${i}`, `after ${i}`);
  }
  expect((await workerFacts(page)).folds).toBeGreaterThan(0);
  await killWorkers(page, browserName);
  expect(await getNote(page, "n11")).toBe("after 11");
  expect(await getNote(page, "n0")).toBe("after 0");
});

test("a parked request is answered later, and the keep-alive names the build", async ({
  installed: page,
}) => {
  const { woken } = await park(page);
  await putNote(page, "a", "1");
  expect(await woken).toEqual({ woken: true });
  const { json } = await ask(page, "GET", "/_neurite/alive");
  expect(json.relay).toBe("none");
  expect(json.build).toMatch(/^0\.1\.0-/);
});
