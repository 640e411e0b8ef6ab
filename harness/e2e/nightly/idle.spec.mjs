/**
 * An idle worker is ended by its browser; a page that keeps it alive, as the client's does, prevents that.
 * Firefox ends one under a debugger too, and after as short a while as it is told.
 */
import { launchOn } from "../../browsers.mjs";
import { expect, startSite, test } from "../../fixtures.mjs";
import { ask, install } from "../../worker.mjs";

const WITHIN = { timeout: 60_000 };

test("a worker lives for as long as a page keeps it alive, and ends when none does", async ({
  playwright,
  site,
  profile,
}) => {
  test.setTimeout(180_000);
  const other = await startSite("double/dendrite.wasm");
  const context = await launchOn(playwright.firefox, profile, {
    "dom.serviceWorkers.idle_timeout": 1000,
  });
  // Each worker holds a websocket: whoever serves it sees when the worker ends.
  const [kept, left] = [await context.newPage(), await context.newPage()];
  for (const [page, { origin, port }] of /** @type {const} */ ([
    [kept, site],
    [left, other.site],
  ])) {
    await install(page, origin);
    if (page === kept) {
      await page.evaluate(async () => {
        const client = "/neurite/homeserver";
        const { startHomeserver } = await import(client);
        await startHomeserver(() => {});
      });
    }
    const dialled = await ask(page, "POST", "/_matrix/dial", `ws://localhost:${port}/socket`);
    expect(dialled.status).toBe(200);
  }
  await expect.poll(() => Math.min(site.opened, other.site.opened)).toBe(1);
  await expect.poll(() => other.site.connections, WITHIN).toBe(0);
  expect(site.connections, "kept alive").toBe(1);
  await kept.close();
  await expect.poll(() => site.connections, WITHIN).toBe(0);
  await context.close();
  await other.end();
});
