import { defineConfig } from "@playwright/test";
import { launchOptions } from "./browsers.mjs";

// Playwright shows the requests of service workers only when asked to.
process.env.PW_EXPERIMENTAL_SERVICE_WORKER_NETWORK_EVENTS = "1";

const artifacts = process.env.ARTIFACTS ?? "../artifacts";

export default defineConfig({
  testDir: "./e2e",
  testMatch: ["worker/*.spec.mjs", "page/*.spec.mjs"],
  outputDir: `${artifacts}/playwright`,
  timeout: 90_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: [["list"], ["junit", { outputFile: `${artifacts}/junit.xml` }]],
  use: { viewport: { width: 1280, height: 720 }, trace: "retain-on-failure" },
  projects: [
    {
      name: "chromium",
      use: { browserName: "chromium", launchOptions: launchOptions.chromium },
    },
    {
      name: "firefox",
      use: { browserName: "firefox", channel: "moz-firefox", launchOptions: launchOptions.firefox },
    },
  ],
});
