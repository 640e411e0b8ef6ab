/**
 * The scenario: two people in two browsers against a stack that is up (scripts/scenario.sh). The steps
 * build on one another, so there is one worker and no retry, and files run in the order of their names.
 */
import { defineConfig } from "@playwright/test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

// Playwright shows the requests of service workers only when asked to.
process.env.PW_EXPERIMENTAL_SERVICE_WORKER_NETWORK_EVENTS = "1";
process.env.ARTIFACTS = resolve(process.env.ARTIFACTS ?? "../artifacts");
// Set once, by the main process; the processes that run tests inherit it.
process.env.SCENARIO_RUN ??= mkdtempSync(join(tmpdir(), "neurite-scenario-"));
const artifacts = process.env.ARTIFACTS;

export default defineConfig({
  testDir: "./e2e/scenario",
  testMatch: "*.spec.mjs",
  outputDir: `${artifacts}/playwright`,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [
    ["./report/verdict.mjs"],
    ["junit", { outputFile: `${artifacts}/junit.xml` }],
    ["html", { outputFolder: `${artifacts}/report`, open: "never" }],
  ],
  // Without a film: it is nine tenths of the bytes, and slows down what is measured.
  use: { actionTimeout: 30_000, trace: { mode: "on", screenshots: false, sources: false } },
  projects: [{ name: "chromium-first" }, { name: "firefox-first" }],
});
