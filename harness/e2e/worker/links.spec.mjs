import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, install, putNote, workerFacts } from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("../../services/site.mjs").Site} Site */

/**
 * @param {Page} page
 * @param {Site} site
 */
async function dial(page, site) {
  const url = `ws://localhost:${site.port}/socket`;
  expect((await ask(page, "POST", "/_matrix/dial", url)).status).toBe(200);
  await expect.poll(() => getNote(page, "link")).toBe("up");
}

test("a link carries text and bytes both ways", async ({ installed: page, site }) => {
  await dial(page, site);
  await ask(page, "POST", "/_matrix/say", "hello relay");
  await expect.poll(() => site.heard).toEqual(["hello relay"]);
  site.say("hello worker");
  await expect.poll(() => getNote(page, "heard")).toBe("hello worker");
  site.say(Buffer.from("bytes"));
  await expect.poll(() => getNote(page, "heard-bytes")).toBe("bytes");
  const { links } = await workerFacts(page);
  expect(links).toEqual([expect.objectContaining({ state: "open" })]);
});

test("the end of a link is told, and a link that cannot open as well", async ({
  installed: page,
  site,
}) => {
  await dial(page, site);
  site.hangUp();
  await expect.poll(() => getNote(page, "link")).toBe("down");
  await putNote(page, "link", "?");
  await ask(page, "POST", "/_matrix/dial", `ws://localhost:${site.port}/elsewhere`);
  await expect.poll(() => getNote(page, "link")).toBe("down");
  await putNote(page, "link", "?");
  await ask(page, "POST", "/_matrix/dial", "not a url");
  await expect.poll(() => getNote(page, "link")).toBe("down");
});

test("the core hears how much room a link has when its buffer drains", async ({
  installed: page,
  site,
}) => {
  await dial(page, site);
  await ask(page, "POST", "/_matrix/say", "x".repeat(900_000));
  await expect.poll(() => getNote(page, "room")).toBe(String(1024 * 1024));
  expect(site.heard[0]).toHaveLength(900_000);
});

test("the keep-alive answers at once when the relay comes or goes", async ({
  installed: page,
  site,
}) => {
  const alive = async (/** @type {string} */ known) =>
    (await ask(page, "GET", `/_neurite/alive?relay=${known}`)).json.relay;
  const up = alive("");
  await dial(page, site);
  expect(await up).toBe("up");
  const down = alive("up");
  site.hangUp();
  expect(await down).toBe("down");
});

test("the relays are the page's own origin and what config.json lists", async ({ page, site }) => {
  site.config = { p2p: { relays: ["ws://relay.example:9090", 7, "http://not.one"] } };
  await install(page, site.origin);
  const { text } = await ask(page, "GET", "/_matrix/relays");
  expect(text.split("\n")).toEqual([`ws://localhost:${site.port}`, "ws://relay.example:9090", ""]);
});
