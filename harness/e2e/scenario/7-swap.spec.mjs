/**
 * Step 7: a fresh dendrite.wasm is put into the mounted directory. Open tabs move to it, without a new
 * log-in and without losing a message; one of a foreign interface is refused, and people are told.
 */
import { copyFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, figure, FOO, inRoom, setting, test } from "../../fixtures-scenario.mjs";

/** @typedef {import("../../pages/person.mjs").Person} Person */

const mounted = () => join(setting("WASM_DIR"), "dendrite.wasm");

/** @param {string} file is there at once, whole */
async function mount(file) {
  await copyFile(file, `${mounted()}.new`);
  await rename(`${mounted()}.new`, mounted());
}

/** @param {Person} person @returns {Promise<string>} */
const build = async (person) => (await person.status()).worker.build?.build ?? "";

/** @param {Person} person */
const mark = (person) =>
  person.page.evaluate(() => {
    /** @type {any} */ (window).neuriteMark = true;
  });

/** @param {Person} person */
const isMarked = (person) =>
  person.page.evaluate(() => /** @type {any} */ (window).neuriteMark === true);

test.describe("7 another dendrite.wasm", () => {
  test.beforeAll(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
  });

  test.afterAll(async () => {
    await rm(mounted(), { force: true });
  });

  test("open tabs move to a fresh build, and no message is lost", async ({ stage }) => {
    const { first, second } = stage;
    const people = [first, second];
    await Promise.all(people.map(mark));
    const old = await build(first);
    expect(await build(second)).toBe(old);
    await mount(setting("WASM_NEXT"));
    const began = Date.now();
    /** @type {string[]} */
    const sent = [];
    const isOld = async () => {
      const builds = await Promise.all(people.map(build));
      return builds.some((name) => name === old);
    };
    // The conversation goes on meanwhile, and once more after.
    for (let isLast = false; !isLast;) {
      isLast = !(await isOld());
      const n = sent.length;
      const [from, to] = n % 2 === 0 ? [first, second] : [second, first];
      await from.talk.send(`swap ${n} of ${from.name}`);
      await to.talk.sees(`swap ${n} of ${from.name}`);
      sent.push(`swap ${n} of ${from.name}`);
      expect(n, "tabs move within a minute or two").toBeLessThan(200);
    }
    figure("fresh dendrite.wasm in both browsers after, ms", Date.now() - began);
    for (const person of people) {
      expect(await build(person)).toMatch(/-next$/);
      expect(await isMarked(person), "the page was not refreshed").toBe(true);
      expect(await person.talk.all(/^swap \d+ of/)).toEqual(sent);
    }
  });

  test("a foreign interface is refused with both numbers, and the old build goes on", async ({
    stage,
  }) => {
    const { first, second } = stage;
    const before = await build(first);
    await mount(setting("WASM_FOREIGN"));
    for (const person of [first, second]) {
      await expect(person.page.locator("#neurite_notice")).toContainText(
        /dendrite\.wasm .*has interface number \d+, and \d+ is wanted/,
        { timeout: 60_000 },
      );
      expect(await build(person)).toBe(before);
    }
    await first.talk.send("still here");
    await second.talk.sees("still here");
  });

  test("taken away, the built-in one is back, and the notice goes", async ({ stage }) => {
    const { first, second } = stage;
    await rm(mounted());
    for (const person of [first, second]) {
      await expect.poll(() => build(person), { timeout: 60_000 }).not.toMatch(/-next$/);
      await expect(person.page.locator("#neurite_notice")).toHaveCount(0, { timeout: 60_000 });
    }
    await second.talk.send("back where we were");
    await first.talk.sees("back where we were");
    const { userId } = await first.session();
    expect(userId).toBe(stage.notes.get("first.userId"));
  });
});
