/** What both browsers did besides, in all the steps before: nothing that is not on a short, fixed list. */
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, figure, FOO, inRoom, test } from "../../fixtures-scenario.mjs";

const MISSING_MAX = 12;
const CONSOLE_MAX = 10;
const ELSEWHERE = "http://elsewhere.invalid/";

/** @param {string} name */
const list = (name) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), "utf8"));

/** @param {import("../../report/observer.mjs").Finding} finding */
const line = ({ who, step, text }) => `${who}, "${step}": ${text}`;

test.describe("8 clean", () => {
  test.beforeAll(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
  });

  test("the observer sees what leaves the origin, and an error on the console", async ({
    stage,
  }) => {
    const { first, second, observer } = stage;
    for (const person of [first, second]) {
      const page = await /** @type {import("@playwright/test").BrowserContext} */ (
        person.context
      ).newPage();
      await page.goto(ELSEWHERE).catch(() => {});
      await page.evaluate(() => console.error("a control")).catch(() => {});
      await page.close();
      for (const [kind, text] of [
        ["foreign", ELSEWHERE],
        ["foreign", `gate: ${ELSEWHERE}`],
        ["console", "a control"],
      ]) {
        await expect
          .poll(() =>
            observer
              .findings()
              .filter((one) => one.kind === kind && one.who === person.browserName)
              .map((one) => one.text),
          )
          .toContainEqual(expect.stringContaining(text));
      }
    }
  });

  test("figures of the homeservers", async ({ stage }) => {
    const wasm = await stage.first.page.evaluate(async () => {
      const bytes = new Uint8Array(await (await fetch("/dendrite.wasm")).arrayBuffer());
      let text = "";
      for (let at = 0; at < bytes.length; at += 0x8000) {
        text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      }
      return btoa(text);
    });
    const bytes = Buffer.from(wasm, "base64");
    figure("dendrite.wasm, bytes", {
      raw: bytes.length,
      gzip: gzipSync(bytes, { level: 9 }).length,
      brotli: brotliCompressSync(bytes).length,
    });
    for (const person of [stage.first, stage.second]) {
      const { commit, database_bytes: size } = (await person.status()).worker;
      figure(`${person.browserName}: commits`, commit);
      const times = [];
      for (let i = 0; i < 5; i++) {
        await person.killWorker();
        times.push(
          await person.page.evaluate(async () => {
            const began = performance.now();
            await fetch("/_matrix/client/versions");
            return Math.round(performance.now() - began);
          }),
        );
      }
      figure(`${person.browserName}: cold start, ms`, { database_bytes: size, times });
    }
  });

  test("no request left the origin", ({ stage }) => {
    const foreign = stage.observer
      .findings()
      .filter(({ kind, text }) => kind === "foreign" && !text.includes(ELSEWHERE));
    expect(foreign.map(line)).toEqual([]);
  });

  test("the client missed no path but the listed ones", ({ stage }) => {
    const allowed = list("allowed-missing.json");
    expect(allowed.length).toBeLessThanOrEqual(MISSING_MAX);
    expect(allowed.every((/** @type {any} */ one) => one.path && one.reason)).toBe(true);
    const paths = new Set(allowed.map((/** @type {any} */ one) => one.path));
    const missing = stage.observer.findings().filter(({ kind }) => kind === "missing");
    figure("paths that the client missed", [...new Set(missing.map(({ text }) => text))]);
    expect(missing.filter(({ text }) => !paths.has(text)).map(line)).toEqual([]);
  });

  test("no error was on a console but the listed ones", ({ stage }) => {
    const allowed = list("allowed-console.json");
    expect(allowed.length).toBeLessThanOrEqual(CONSOLE_MAX);
    expect(allowed.every((/** @type {any} */ one) => one.pattern && one.reason)).toBe(true);
    const patterns = allowed.map((/** @type {any} */ one) => new RegExp(one.pattern));
    const errors = stage.observer
      .findings()
      .filter(({ kind, step }) => kind === "console" && !step.startsWith("the observer sees"))
      .filter(({ text }) => !patterns.some((/** @type {RegExp} */ one) => one.test(text)));
    expect(errors.map(line)).toEqual([]);
  });
});
