import { expect, startSite, test } from "../../fixtures.mjs";
import { ask, install } from "../../worker.mjs";

test.use({ module: "dendrite.wasm" });

test("the status page shows the homeserver, and its JSON has the same facts", async ({
  installed: page,
  site,
}, info) => {
  const { json } = await ask(page, "GET", "/_neurite/status");
  expect(json.server_name).toMatch(/^12D3KooW/);
  expect(json.worker.build.build).toBe(json.build);
  expect(json.worker).toMatchObject({ interface: 1, notice: "", read_only: false, deaths: [] });
  expect(json.worker.quota_bytes).toBeGreaterThan(0);
  expect(json.worker.commit.n).toBeGreaterThan(0);
  expect(json.worker.database_bytes).toBe(json.database_bytes);
  expect(json.worker.log.length).toBeGreaterThan(0);
  const errors = /** @type {string[]} */ ([]);
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${site.origin}/_neurite/`);
  await expect(page.locator("#name")).toHaveText(json.server_name);
  await expect(page.locator("#state")).toHaveText("running");
  await expect(page.locator("#build")).toContainText(json.build);
  await expect(page.locator("#relays")).toContainText(`ws://localhost:${site.port}`);
  await expect(page.locator("#log")).toContainText("started build");
  await page.screenshot({ path: info.outputPath("status.png"), fullPage: true });
  expect(errors).toEqual([]);
});

test("the status page says why a homeserver does not start", async ({ page, site }) => {
  site.wasm = null;
  await install(page, site.origin);
  await page.goto(`${site.origin}/_neurite/`);
  await expect(page.locator("#state")).toHaveText("not running");
  await expect(page.locator("#notice")).toContainText("/dendrite.wasm is missing");
});

test("a page of another origin cannot stop the homeserver", async ({ installed: page, site }) => {
  const other = await startSite("dendrite.wasm");
  const { json } = await ask(page, "GET", "/_neurite/status");
  await page.goto(`http://127.0.0.1:${other.site.port}/`);
  await page.setContent(`<form method="post" action="${site.origin}/_neurite/stop"></form>`);
  await page.evaluate(() => document.querySelector("form")?.submit());
  await page.waitForURL(`${site.origin}/**`);
  await expect(page.locator("body")).toContainText("M_FORBIDDEN");
  const after = await ask(page, "GET", "/_neurite/status");
  expect(after.json.worker.generation).toBe(json.worker.generation);
  await other.end();
});
