/**
 * What the steps of the scenario share: two people, each with a browser and a profile, who stay as they
 * are from one step to the next; a notebook of what is known about them; an observer of both browsers.
 *
 * The project says who goes first: in "chromium-first" the first person has Chromium. When a step fails
 * Playwright starts a fresh process for the next; it finds the profiles and the notebook, and goes on.
 */
import { test as base, expect } from "@playwright/test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Person } from "./pages/person.mjs";
import { Observer } from "./report/observer.mjs";
import { Gate } from "./services/gate.mjs";

/** @param {string} name of an environment variable that scripts/scenario.sh gets from its caller */
export function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set; scripts/demo.sh shows what the scenario needs`);
  }
  return value;
}

/**
 * @typedef {object} Stage
 * @property {Person} first makes the room "Foo"
 * @property {Person} second joins it
 * @property {Observer} observer
 * @property {Notes} notes
 * @property {string} folder for this run's files
 */

/** Facts that one step finds out and another needs. */
export class Notes {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
  }

  /** @returns {Record<string, any>} */
  #all() {
    return existsSync(this.file) ? JSON.parse(readFileSync(this.file, "utf8")) : {};
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    writeFileSync(this.file, JSON.stringify({ ...this.#all(), [name]: value }, null, 2));
  }

  /** @param {string} name @returns {any} */
  get(name) {
    const value = this.#all()[name];
    if (value === undefined) {
      throw new Error(
        `this step needs "${name}", and the step that finds it out did not get there`,
      );
    }
    return value;
  }
}

export const FOO = { name: "Foo", topic: "All about foo", alias: "foo" };
export const BAR = { name: "Bar", topic: "Where we meet", alias: "bar" };

/** @typedef {import("@playwright/test").PlaywrightWorkerArgs} WorkerArgs */
/** @typedef {import("@playwright/test").PlaywrightTestArgs} TestArgs */
/** @typedef {WorkerArgs & { stage: Stage }} PerWorker */
/** @typedef {import("@playwright/test").TestType<TestArgs & { step: null }, PerWorker>} Scenario */
/** @typedef {import("@playwright/test").Fixtures<{ step: null }, { stage: Stage }, {}, WorkerArgs>} All */

/** @type {All} */
const fixtures = {
  stage: [
    async ({ playwright }, use, workerInfo) => {
      const run = join(setting("SCENARIO_RUN"), workerInfo.project.name);
      mkdirSync(run, { recursive: true });
      const observer = new Observer(join(run, "findings.jsonl"), setting("NEURITE_URL"));
      const order = workerInfo.project.name.startsWith("firefox")
        ? /** @type {const} */ (["firefox", "chromium"])
        : /** @type {const} */ (["chromium", "firefox"]);
      const gates = order.map(
        (browserName) => new Gate((url) => observer.note("foreign", browserName, `gate: ${url}`)),
      );
      const ports = await Promise.all(gates.map((gate) => gate.start()));
      const [first, second] = order.map((browserName, i) => {
        const [name, displayName] = i === 0 ? ["alice", "Alice"] : ["bob", "Bob"];
        return new Person(playwright[browserName], {
          name,
          displayName,
          profile: join(run, browserName),
          origin: setting("NEURITE_URL"),
          gate: ports[i],
          watch: (context, person) => observer.watch(context, person.browserName),
        });
      });
      await Promise.all([first.launch(), second.launch()]);
      const notes = new Notes(join(run, "notes.json"));
      await use({ first, second, observer, notes, folder: run });
      await Promise.all([first.close(), second.close()]);
      await Promise.all(gates.map((gate) => gate.stop()));
    },
    { scope: "worker", timeout: 120_000 },
  ],

  /** Notes the step for the observer, and keeps a picture of both browsers at its end. */
  step: [
    async ({ stage }, use, testInfo) => {
      stage.observer.step = testInfo.title;
      await use(null);
      const folder = join(setting("ARTIFACTS"), "screenshots");
      const title = testInfo.titlePath.slice(1).join(" ");
      const name = title.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 80);
      for (const person of [stage.first, stage.second]) {
        if (person.isOpen) {
          const path = join(folder, `${name}-${person.browserName}.png`);
          await person.screenshot(path).catch(() => {});
          if (existsSync(path)) {
            await testInfo.attach(person.browserName, { path, contentType: "image/png" });
          }
        }
      }
    },
    { auto: true },
  ],
};

/** @type {Scenario} */
export const test = base.extend(/** @type {any} */ (fixtures));

/**
 * A figure for verdict.json.
 *
 * @param {string} name
 * @param {unknown} value
 */
export function figure(name, value) {
  test.info().annotations.push({ type: "figure", description: JSON.stringify({ name, value }) });
}

/**
 * Sees to it that somebody is logged in and in a room, whatever a failed step left behind.
 *
 * @param {Person} person
 * @param {string} room
 */
export async function inRoom(person, room) {
  if (!person.isOpen) {
    await person.launch();
  }
  if (!person.page.url().startsWith(person.origin)) {
    await person.open();
  }
  await person.isLoggedIn();
  await person.rooms.open(room);
}

export { expect };
