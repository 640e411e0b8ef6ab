/**
 * The conversations of test/client, which the native server passes too, held by a page with the
 * homeserver in its own worker: all with one homeserver, as they are made for.
 */
import { conversations } from "../../../test/client/conversations/index.mjs";
import { expect, startSite, test } from "../../fixtures.mjs";
import { install, killWorkers, workerFacts } from "../../worker.mjs";

/** @typedef {import("@playwright/test").Page} Page */

/** @type {Page} */
let page;
/** @type {Awaited<ReturnType<typeof startSite>>} */
let served;

test.beforeAll(async ({ browser }) => {
  served = await startSite("dendrite.wasm");
  page = await browser.newPage();
  await install(page, served.site.origin);
});

test.afterAll(async () => {
  await page.close();
  await served.end();
});

for (const { name } of conversations) {
  test(name, async () => {
    const trouble = await page.evaluate(async (wanted) => {
      const list = "/test/client/conversations/index.mjs";
      const client = "/test/client/matrix.mjs";
      const { conversations: all } = await import(list);
      const { Server } = await import(client);
      const found = all.find((/** @type {any} */ one) => one.name === wanted);
      try {
        await found.run({ server: new Server(location.origin) });
        return null;
      } catch (error) {
        return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
      }
    }, name);
    expect(trouble).toBeNull();
  });
}

test("a homeserver keeps its name, its users and their sessions when its worker dies", async ({
  browserName,
}) => {
  const { server_name: serverName, deaths } = await workerFacts(page);
  expect(serverName).toMatch(/^12D3KooW/);
  expect(deaths).toEqual([]);
  const token = await page.evaluate(async () => {
    const client = "/test/client/matrix.mjs";
    const { Server, fresh } = await import(client);
    const user = await new Server(location.origin).register(fresh("kept"));
    return user.token;
  });
  for (let i = 0; i < 5; i++) {
    await killWorkers(page, browserName);
    const who = await page.evaluate(async (bearer) => {
      const headers = { authorization: `Bearer ${bearer}` };
      const response = await fetch("/_matrix/client/v3/account/whoami", { headers });
      return response.json();
    }, token);
    expect(who.user_id).toContain(`:${serverName}`);
  }
});
