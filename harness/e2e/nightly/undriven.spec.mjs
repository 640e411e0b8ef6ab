/**
 * A Chromium as a person starts it, with no debugger at it: only there a worker dies by itself. The
 * page does by itself what has to be done (pages/alone.mjs).
 */
import { expect, test } from "@playwright/test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchOptions } from "../../browsers.mjs";
import { sitAlone } from "../../pages/alone.mjs";
import { Front } from "../../services/front.mjs";

const LOGGED_OUT_MS = 60_000;

/** @type {(() => Promise<unknown>)[]} undone in turn, also after a failure */
const undo = [];
test.afterEach(async () => {
  for (const step of undo.splice(0).reverse()) {
    await step();
  }
});

test("a page sits logged out until its worker has died by itself: it registers at the first try", async () => {
  test.setTimeout(420_000);
  const options = { name: "erin", password: "correct horse battery 7", leastMs: LOGGED_OUT_MS };
  const script = `void (${sitAlone})(${JSON.stringify(options)});`;
  const front = new Front(process.env.NEURITE_URL ?? "http://localhost:8080", script);
  const origin = await front.start();
  undo.push(() => front.stop());
  const profile = await mkdtemp(join(tmpdir(), "neurite-undriven-"));
  undo.push(() => rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  const { executablePath = "", args = [] } = launchOptions.chromium;
  const chromium = spawn(
    executablePath,
    [
      ...[...args, "--headless=new", `--user-data-dir=${profile}`],
      ...["--no-first-run", "--no-default-browser-check", "--disable-background-networking"],
      ...["--window-size=1280,800", `${origin}/`],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  chromium.stderr.on("data", (text) => (said = (said + text).slice(-4000)));
  const ended = once(chromium, "close");
  undo.push(() => {
    chromium.kill("SIGTERM");
    return ended;
  });
  const report = await Promise.race([
    front.report,
    ended.then(() => ({ error: `Chromium ended: ${said}` })),
  ]);
  expect(report.error).toBeUndefined();
  expect(report.quietMs).toBeGreaterThanOrEqual(LOGGED_OUT_MS);
  expect(report.after, "another instance than before").toBe(report.before + 1);
  expect(report.refusals).toEqual([]);
  expect(report.userId).toMatch(/^@erin:12D3KooW/);
});
