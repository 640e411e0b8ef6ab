import { built, expect, test } from "../../fixtures.mjs";
import {
  ask,
  buildOf,
  check,
  getNote,
  install,
  killWorkers,
  park,
  putNote,
  workerFacts,
} from "../../worker.mjs";

test("a new build takes over under open pages, with its data", async ({
  installed: page,
  site,
  browserName,
}) => {
  await putNote(page, "a", "1");
  const old = await buildOf(page);
  const { woken } = await park(page);
  site.wasm = built("double-next/dendrite.wasm");
  await expect.poll(() => buildOf(page)).toBe(`${old}-next`); // by itself, within ten seconds
  expect(await getNote(page, "a")).toBe("1");
  await putNote(page, "b", "2");
  expect(await woken).toEqual({ woken: true });
  await killWorkers(page, browserName);
  expect(await getNote(page, "b")).toBe("2");
  expect(await buildOf(page)).toBe(`${old}-next`);
});

test("writes go on through a swap and none is lost", async ({ installed: page, site }) => {
  const old = await buildOf(page);
  site.wasm = built("double-next/dendrite.wasm");
  await check(page);
  let n = 0;
  while ((await buildOf(page)) !== `${old}-next`) {
    await putNote(page, `n${n}`, `${n}`);
    n++;
  }
  await putNote(page, "last", "yes");
  for (let i = 0; i < n; i++) {
    expect(await getNote(page, `n${i}`)).toBe(`${i}`);
  }
});

test("a foreign interface number is refused with the numbers, and the old build goes on", async ({
  installed: page,
  site,
}) => {
  await putNote(page, "a", "1");
  const old = await buildOf(page);
  site.wasm = built("double-foreign/dendrite.wasm");
  await check(page);
  await expect
    .poll(async () => (await workerFacts(page)).notice)
    .toContain("has interface number 2, and 1 is wanted");
  expect(await buildOf(page)).toBe(old);
  expect(await getNote(page, "a")).toBe("1");
  site.wasm = built("double-next/dendrite.wasm");
  await check(page);
  await expect.poll(() => buildOf(page)).toBe(`${old}-next`);
  expect((await workerFacts(page)).notice).toBe("");
});

test("where there is no module, versions answers 503 with the file and the number, until there is one", async ({
  page,
  site,
}) => {
  site.wasm = null;
  await install(page, site.origin);
  const { status, json } = await ask(page, "GET", "/_matrix/client/versions");
  expect(status).toBe(503);
  expect(json.error).toContain("/dendrite.wasm is missing");
  expect(json.error).toContain("Interface number 1 is wanted, and none was found");
  const facts = await ask(page, "GET", "/_neurite/status");
  expect(facts.json.error).toContain("/dendrite.wasm is missing");
  site.wasm = built("double/dendrite.wasm");
  expect((await ask(page, "GET", "/_matrix/client/versions")).status).toBe(200);
});

test("where the only module is foreign, versions answers 503 with both numbers", async ({
  page,
  site,
}) => {
  site.wasm = built("double-foreign/dendrite.wasm");
  await install(page, site.origin);
  const { status, json } = await ask(page, "GET", "/_matrix/client/versions");
  expect(status).toBe(503);
  expect(json.error).toMatch(
    /\/dendrite\.wasm \(build .*\) has interface number 2, and 1 is wanted/,
  );
});

test("a file that is no module, and one without the section, are refused", async ({
  page,
  site,
}) => {
  site.wasm = site.worker;
  await install(page, site.origin);
  const text = await ask(page, "GET", "/_matrix/client/versions");
  expect(text.status).toBe(503);
  expect(text.json.error).toContain("is not a WebAssembly module");
});

test("with the server gone, the kept build starts", async ({
  installed: page,
  site,
  browserName,
}) => {
  await putNote(page, "a", "1");
  await site.stop();
  await killWorkers(page, browserName);
  expect(await getNote(page, "a")).toBe("1");
  await site.start();
});
