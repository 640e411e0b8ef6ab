/** What a test of the worker asks for: a site, and a page of it whose worker is installed. */
import { test as base, expect } from "@playwright/test";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Site } from "./services/site.mjs";
import { install } from "./worker.mjs";

const top = fileURLToPath(new URL("..", import.meta.url));
const wasmBuild = resolve(process.env.WASM_BUILD ?? join(top, "build/wasm"));
const workerScript = resolve(process.env.WORKER_JS ?? join(wasmBuild, "dendrite_sw.js"));

/**
 * A module of the build folder, e.g. "double/dendrite.wasm".
 *
 * @param {string} name
 */
export function built(name) {
  const file = join(wasmBuild, name);
  if (!existsSync(file)) {
    throw new Error(`${file} is not there: build the wasm first, or set WASM_BUILD`);
  }
  return file;
}

/**
 * For a site that several tests use.
 *
 * @param {string} module what it serves
 */
export async function startSite(module) {
  const folder = await mkdtemp(join(tmpdir(), "neurite-site-"));
  const worker = join(folder, "dendrite_sw.js");
  await copyFile(workerScript, worker);
  const site = await new Site(worker).start();
  site.wasm = built(module);
  const end = async () => {
    await site.stop();
    await rm(folder, { recursive: true });
  };
  return { site, end };
}

/**
 * @typedef {object} Fixtures
 * @property {string} module what the site serves at first
 * @property {Site} site with that module
 * @property {import("@playwright/test").Page} installed a page of the site, controlled by its worker
 * @property {string} profile an empty folder for a browser's profile
 */
/** @typedef {import("@playwright/test").PlaywrightTestArgs} Args */
/** @typedef {import("@playwright/test").PlaywrightTestOptions} Options */
/** @typedef {import("@playwright/test").PlaywrightWorkerArgs} WorkerArgs */
/** @typedef {import("@playwright/test").PlaywrightWorkerOptions} WorkerOptions */
/** @typedef {WorkerArgs & WorkerOptions} PerWorker */

/** @type {import("@playwright/test").Fixtures<Fixtures, {}, Args & Options, PerWorker>} */
const fixtures = {
  module: ["double/dendrite.wasm", { option: true }],

  site: async ({ module }, use) => {
    const { site, end } = await startSite(module);
    await use(site);
    await end();
  },

  installed: async ({ page, site }, use) => {
    await install(page, site.origin);
    await use(page);
  },

  profile: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "neurite-profile-"));
    await use(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  },
};

export const test = base.extend(fixtures);

export { expect };
