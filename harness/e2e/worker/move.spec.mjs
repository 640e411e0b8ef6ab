/** A homeserver leaves a browser, comes into another one or becomes a native one, and back; resets. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Server, fresh } from "../../../test/client/matrix.mjs";
import { expect, test } from "../../fixtures.mjs";
import { endPrograms } from "../../../test/client/program.mjs";
import { runNeurite, startNeurite, startRelay } from "../../services/programs.mjs";
import { ask, install, killWorkers, serverOf, workerFacts } from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */

const RELAY_PORT = Number(process.env.RELAY_PORT ?? 18595);

test.use({ module: "dendrite.wasm" });
test.afterEach(endPrograms);

/**
 * @param {Page} page
 * @param {string} [path]
 * @returns {Promise<Buffer>} what "Export" saves
 */
async function exportOf(page, path = "/_neurite/export") {
  const text = await page.evaluate(async (from) => {
    const response = await fetch(from, { method: "POST" });
    const bytes = new Uint8Array(await response.arrayBuffer());
    let binary = "";
    for (let i = 0; i < bytes.length; i += 32768) {
      binary += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return response.ok ? btoa(binary) : "";
  }, path);
  expect(text).not.toBe("");
  return Buffer.from(text, "base64");
}

/**
 * Imports as a person does.
 *
 * @param {Page} page
 * @param {string} file
 * @param {RegExp | string} says
 */
async function importInto(page, file, says) {
  await page.goto(`${new URL(page.url()).origin}/_neurite/`);
  await expect(page.locator("#import")).toBeEnabled();
  await page.locator("#file").setInputFiles(file);
  await expect(page.locator("#said")).toHaveText(says);
}

test("an exported homeserver rests, and lives on in another profile with a new epoch", async ({
  installed: here,
  browser,
  browserName,
  site,
  profile,
}, info) => {
  const alice = await serverOf(here).register(fresh("alice"));
  const room = await alice.createRoom({ preset: "private_chat" });
  const said = await alice.say(room, "before");
  await alice.sync();
  const since = alice.since ?? "";
  const { server_name: name } = (await ask(here, "GET", "/_neurite/status")).json;

  // By the button; the file itself is had by asking once more, as somebody does who lost it.
  await here.goto(`${site.origin}/_neurite/`);
  await here.locator("#export").click();
  await expect(here.locator("#said")).toContainText("rests now");
  await expect(here.locator("#state")).toHaveText("not running");
  await expect(here.locator("#notice")).toContainText("was exported and runs here no more");
  await here.screenshot({ path: info.outputPath("exported.png"), fullPage: true });
  const versions = await ask(here, "GET", "/_matrix/client/versions");
  expect(versions.status).toBe(503);
  expect(versions.json.error).toContain("runs here no more");
  await killWorkers(here, browserName);
  expect((await ask(here, "GET", "/_matrix/client/versions")).status).toBe(503);
  const file = join(profile, "homeserver.neurite");
  await writeFile(file, await exportOf(here));

  const context = await browser.newContext();
  const there = await context.newPage();
  await install(there, site.origin);
  const empty = (await ask(there, "GET", "/_neurite/status")).json.server_name;
  await importInto(there, file, /lives here now/);
  const status = (await ask(there, "GET", "/_neurite/status")).json;
  expect(status.server_name).toBe(name);
  expect(status.server_name).not.toBe(empty);
  await killWorkers(there, browserName);
  alice.server = serverOf(there);
  const event = await alice.must("GET", `/rooms/${encodeURIComponent(room)}/event/${said}`);
  expect(event.content.body).toBe("before");
  const again = await alice.must("GET", "/sync", { query: { since, timeout: 0 } });
  const { state, timeline } = again.rooms.join[room];
  const types = [...state.events, ...timeline.events].map((/** @type {any} */ it) => it.type);
  expect(types, "an initial sync").toContain("m.room.create");
  expect(again.next_batch.split("_")[1]).not.toBe(since.split("_")[1]);
  alice.since = undefined;
  await alice.see(room, await alice.say(room, "after"));

  // Now that it is in use, nothing replaces it; and what rests here makes room for it again.
  await importInto(there, file, /in use here/);
  await there.screenshot({ path: info.outputPath("refused.png"), fullPage: true });
  await writeFile(file, await exportOf(there));
  await importInto(here, file, /lives here now/);
  expect((await ask(here, "GET", "/_neurite/status")).json.server_name).toBe(name);
  await context.close();
});

test("what is not a whole export is refused with a sentence, and nothing changes", async ({
  installed: page,
  profile,
}) => {
  const before = await ask(page, "GET", "/_neurite/status");
  const { generation } = before.json.worker;
  const post = async (/** @type {string} */ body) => {
    const { status, json } = await ask(page, "POST", "/_neurite/import", body);
    expect([status, json.errcode]).toEqual([400, "M_BAD_STATE"]);
    return json.error;
  };
  expect(await post("")).toMatch(/not an exported homeserver/);
  expect(await post("x".repeat(1000))).toMatch(/not an exported homeserver/);
  expect(await post("x".repeat(8192))).toMatch(/cannot be imported/);
  const after = await ask(page, "GET", "/_neurite/status");
  expect(after.json.server_name).toBe(before.json.server_name);
  expect(after.json.worker).toMatchObject({ generation, set_aside: [], deaths: [] });

  await serverOf(page).register(fresh("half"));
  const whole = await exportOf(page);
  const half = join(profile, "half.neurite");
  await writeFile(half, whole.subarray(0, Math.floor(whole.length / 8192) * 4096));
  await importInto(page, half, /cannot be imported/);
  await expect(page.locator("#notice")).toContainText("runs here no more");
});

test("a native homeserver lives on in a browser, and that one natively", async ({
  installed: page,
  site,
  profile,
}) => {
  const relay = await startRelay(RELAY_PORT);
  site.relayPort = relay.port;
  const [data, other, file] = ["data", "other", "out.neurite"].map((name) => join(profile, name));
  const native = await startNeurite(data, relay.url);
  const alice = await new Server(native.base).register(fresh("alice"));
  const room = await alice.createRoom({ preset: "private_chat" });
  await alice.say(room, "natively");
  await native.stop();
  await runNeurite("export", "--data", data, "--file", file);
  await importInto(page, file, /lives here now/);
  alice.server = serverOf(page);
  await alice.say(room, "in a browser");
  await writeFile(`${file}.back`, await exportOf(page));
  await runNeurite("import", "--data", other, "--file", `${file}.back`);
  const back = await startNeurite(other, relay.url);
  alice.server = new Server(back.base);
  await alice.see(room, await alice.say(room, "natively again"));
  expect(alice.texts(room, alice.userId)).toEqual(["natively", "in a browser", "natively again"]);
  expect((await readFile(`${file}.back`)).length).toBeGreaterThan(4096);
});

test("a reset wants the typed word, and makes another homeserver", async ({
  installed: page,
  site,
}) => {
  const { server_name: name } = (await ask(page, "GET", "/_neurite/status")).json;
  await serverOf(page).register(fresh("gone"));
  const wrong = await ask(page, "POST", "/_neurite/reset", JSON.stringify({ confirm: "yes" }));
  expect(wrong.status).toBe(400);
  await page.goto(`${site.origin}/_neurite/`);
  await expect(page.locator("#name")).toHaveText(name);
  await expect(page.locator("#reset")).toBeDisabled();
  await page.locator("#word").click();
  await page.keyboard.type("reset");
  await page.locator("#reset").click();
  await expect(page.locator("#said")).toContainText("It is gone");
  const { json } = await ask(page, "GET", "/_neurite/status");
  expect(json.server_name).toMatch(/^12D3KooW/);
  expect(json.server_name).not.toBe(name);
  expect(json.accounts).toBe(0);
  expect((await workerFacts(page)).set_aside).toEqual([]);
});

test("an image that was set aside can be saved", async ({ installed: page }) => {
  await serverOf(page).register(fresh("aside"));
  await ask(page, "POST", "/_neurite/stop");
  // As a failing disk would: one extent is not what it was.
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("neurite");
        opening.onsuccess = () => {
          const transaction = opening.result.transaction(["meta", "log"], "readwrite");
          transaction.objectStore("log").openCursor().onsuccess = (event) => {
            const cursor = /** @type {any} */ (event.target).result;
            cursor?.update({ ...cursor.value, sum: 1 });
          };
          transaction.oncomplete = () => {
            opening.result.close();
            resolve(undefined);
          };
          transaction.onabort = () => reject(transaction.error);
        };
        opening.onerror = () => reject(opening.error);
      }),
  );
  const { set_aside: aside } = await workerFacts(page);
  expect(aside).toHaveLength(1);
  const bytes = await exportOf(page, `/_neurite/export?image=${aside[0].image}`);
  expect(bytes.subarray(0, 15).toString()).toBe("SQLite format 3");
  expect((await workerFacts(page)).deaths.map((/** @type {any} */ it) => it.reason)).toEqual([
    "stop",
  ]);
});
