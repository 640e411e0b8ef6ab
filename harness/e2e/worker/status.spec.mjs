import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { metrics } from "../../../test/client/metrics.mjs";
import { fresh } from "../../../test/client/matrix.mjs";
import { launchOptions } from "../../browsers.mjs";
import { expect, startSite, test } from "../../fixtures.mjs";
import { endPrograms } from "../../../test/client/program.mjs";
import { startNeurite, startRelay } from "../../services/programs.mjs";
import { ask, install, killWorkers, serverOf } from "../../worker.mjs";

const RELAY_PORT = Number(process.env.RELAY_PORT ?? 18595);

test.use({ module: "dendrite.wasm" });
test.afterEach(endPrograms);

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
  const opened = await page.goto(`${site.origin}/_neurite/`);
  expect(opened?.headers()["content-security-policy"]).toContain("frame-ancestors 'none'");
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

test("in a private window the homeserver lives in memory; where a page can know, it says so", async ({
  playwright,
  browserName,
  site,
}, info) => {
  const { firefoxUserPrefs, ...options } = launchOptions[/** @type {"firefox"} */ (browserName)];
  const browser = await playwright[browserName].launch({
    ...options,
    // A context of Playwright's is what Chromium calls incognito; Firefox has to be told.
    firefoxUserPrefs: { ...firefoxUserPrefs, "browser.privatebrowsing.autostart": true },
  });
  const page = await browser.newPage();
  await install(page, site.origin);
  await serverOf(page).register(fresh("alice"));
  await killWorkers(page, browserName);
  expect((await ask(page, "GET", "/_neurite/status")).json.accounts).toBe(1);
  const { json } = await ask(page, "GET", "/_neurite/alive");
  const notice = browserName === "firefox" ? /private window: .* lives in memory/ : /^$/;
  expect(json.notice).toMatch(notice);
  await page.goto(`${site.origin}/_neurite/`);
  await expect(page.locator("#state")).toHaveText("running");
  await expect(page.locator("#notice")).toHaveText(notice);
  await page.screenshot({ path: info.outputPath("private.png") });
  await browser.close();
});

test("the metrics are Prometheus' text, with the worker's own figures", async ({
  installed: page,
}) => {
  const { text, headers } = await ask(page, "GET", "/_neurite/metrics");
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const { json } = await ask(page, "GET", "/_neurite/status");
  const found = metrics(text);
  expect(found.get(`neurite_build_info{build="${json.build}"}`)).toBe(1);
  expect(found.get("neurite_accounts")).toBe(0);
  expect(found.get("neurite_database_bytes")).toBe(json.database_bytes);
  expect(found.get("neurite_commits_total")).toBeGreaterThan(0);
  expect(found.get('neurite_commit_seconds{quantile="0.5"}')).toBeGreaterThan(0);
  expect(found.get("neurite_storage_quota_bytes")).toBeGreaterThan(0);
});

for (const deed of [
  "/_neurite/stop",
  "/_neurite/export",
  "/_neurite/import",
  "/_neurite/reset",
  "/_neurite/move",
  "/_matrix/_neurite/move",
]) {
  test(`a page of another origin cannot ask for ${deed}`, async ({ installed: page, site }) => {
    const other = await startSite("dendrite.wasm");
    const { json } = await ask(page, "GET", "/_neurite/status");
    await page.goto(`http://127.0.0.1:${other.site.port}/`);
    await page.setContent(
      `<form method="post" action="${site.origin}${deed}" enctype="text/plain">
        <input name='{"confirm":"reset","' value='":0}'></form>`,
    );
    await page.evaluate(() => document.querySelector("form")?.submit());
    await page.waitForURL(`${site.origin}/**`);
    await expect(page.locator("body")).toContainText("M_FORBIDDEN");
    const after = await ask(page, "GET", "/_neurite/status");
    expect(after.json.worker.generation).toBe(json.worker.generation);
    expect(after.json.server_name).toBe(json.server_name);
    await other.end();
  });
}

test("the page of a native server wants its token, and shows the same", async ({
  page,
  profile,
}, info) => {
  const relay = await startRelay(RELAY_PORT);
  const [data, other] = ["data", "other"].map((name) => join(profile, name));
  const native = await startNeurite(data, relay.url);
  const peer = await startNeurite(other, relay.url);
  const errors = /** @type {string[]} */ ([]);
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${native.base}/_neurite/`);
  await expect(page.locator("#door")).toBeVisible();
  await expect(page.locator("#shop")).toBeHidden();
  await page.screenshot({ path: info.outputPath("door.png") });
  const show = async (/** @type {string} */ token) => {
    await page.locator("#door input").click();
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
  };
  await show("guessed");
  await expect(page.locator("#notice")).toHaveText("That is not the token.");
  await show(await readToken(data));
  await expect(page.locator("#state")).toHaveText("running");
  await expect(page.locator("#door")).toBeHidden();
  await expect(page.locator("#buttons")).toBeHidden();
  await expect(page.locator("#commands")).toContainText("neurite export");
  await expect(page.locator("#relays")).toContainText(`${relay.url}joined`);
  const headers = { authorization: `Bearer ${await readToken(other)}` };
  const { server_name: name } = await (
    await fetch(`${peer.base}/_neurite/status`, { headers })
  ).json();
  await expect(page.locator("#peers")).toContainText(name);
  await expect(page.locator("#log")).toContainText(`peer ${name} is here`);
  await page.screenshot({ path: info.outputPath("native.png"), fullPage: true });
  await page.locator("#metrics").click();
  await expect(page.locator("body")).toContainText("neurite_commit_seconds_count");
  expect(errors).toEqual([]);
});

/** @param {string} data */
async function readToken(data) {
  return (await readFile(join(data, "admin-token"), "utf8")).trim();
}
