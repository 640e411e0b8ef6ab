/** What takes too long for every run: undriven against a stack that is up (scripts/scenario.sh nightly), idle alone. */
import { defineConfig } from "@playwright/test";

const artifacts = process.env.ARTIFACTS ?? "../artifacts";

export default defineConfig({
  testDir: "./e2e/nightly",
  testMatch: "*.spec.mjs",
  outputDir: `${artifacts}/playwright`,
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [["list"], ["junit", { outputFile: `${artifacts}/junit.xml` }]],
});
