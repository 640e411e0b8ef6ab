/** Step 3: everything people do in a room, both ways, each seen in the other's timeline. */
import { expect, figure, FOO, inRoom, test } from "../../fixtures-scenario.mjs";

/** @typedef {import("../../pages/person.mjs").Person} Person */

const LONG = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
const LINES = "first line\nsecond line, with an é and a ß\nthird";
const SAMPLES = Number(process.env.LATENCY_SAMPLES ?? 20);

/** @param {number[]} values @param {number} part 0 to 1 */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

test.describe("3 talk", () => {
  test.beforeAll(async ({ stage }) => {
    await Promise.all([inRoom(stage.first, FOO.name), inRoom(stage.second, FOO.name)]);
  });

  test("a conversation", async ({ stage }) => {
    const { first, second } = stage;
    const lines = [
      [first, second, `Hi ${second.displayName}! No server anywhere, just you and me 🎉`],
      [second, first, "And a relay that cannot read a word of it."],
      [second, first, "Where are my messages kept?"],
      [first, second, "In your browser. It is a homeserver of its own, in a service worker."],
      [second, first, "So I close it, you go on writing, I come back, and it is all there?"],
      [first, second, "Yes. In order, once each ✅"],
    ];
    for (const [from, to, text] of /** @type {[Person, Person, string][]} */ (lines)) {
      await from.talk.send(text);
      await to.talk.sees(text);
    }
    await second.talk.react("In order, once each", "👍");
    await expect(
      first.talk.tile("In order, once each").locator(".mx_ReactionsRowButton"),
    ).toContainText("👍");
  });

  /** @type {[string, (stage: { first: Person, second: Person }) => [Person, Person]][]} */
  const ways = [
    ["the first to the second", ({ first, second }) => [first, second]],
    ["the second to the first", ({ first, second }) => [second, first]],
  ];
  for (const [way, of] of ways) {
    test(`plain text, emoji, long and multi-line text, from ${way}`, async ({ stage }) => {
      const [from, to] = of(stage);
      await from.talk.send(`hello from ${from.name}`);
      await to.talk.sees(`hello from ${from.name}`);
      await from.talk.send(`${from.name} 🎉 👩‍👩‍👧‍👦 ünïcödé`);
      await to.talk.sees(`${from.name} 🎉 👩‍👩‍👧‍👦 ünïcödé`);
      await from.talk.paste(`${from.name} ${LONG}`);
      await from.talk.enter();
      await to.talk.sees(`${from.name} ${LONG}`);
      await from.talk.send(`${from.name}: ${LINES}`);
      await to.talk.sees(`${from.name}: first line`);
      expect(await to.talk.body(`${from.name}: first line`)).toBe(`${from.name}: ${LINES}`);
    });

    test(`an edit, a reaction and a redaction, from ${way}`, async ({ stage }) => {
      const [from, to] = of(stage);
      await from.talk.send(`${from.name} has a typo`);
      await from.talk.sent(`${from.name} has a typo`);
      await from.talk.edit(`${from.name} has a typo`, ", no more");
      await to.talk.sees(`${from.name} has a typo, no more`);
      await expect(
        to.talk.tile(`${from.name} has a typo`).locator(".mx_EventTile_edited"),
      ).toBeVisible();

      await to.talk.react(`${from.name} has a typo`, "👍");
      await expect(
        from.talk.tile(`${from.name} has a typo`).locator(".mx_ReactionsRowButton"),
      ).toContainText("👍");

      await from.talk.send(`${from.name} regrets this`);
      await to.talk.sees(`${from.name} regrets this`);
      const before = await to.page.locator(".mx_RedactedBody").count();
      await from.talk.remove(`${from.name} regrets this`);
      await expect(to.page.locator(".mx_RedactedBody")).toHaveCount(before + 1);
      await expect(to.talk.tile(`${from.name} regrets this`)).toHaveCount(0);
    });

    test(`a typing notice and a read receipt, from ${way}`, async ({ stage }) => {
      const [from, to] = of(stage);
      await from.talk.write("thinking about it");
      await expect(to.page.locator(".mx_WhoIsTypingTile_label")).toContainText(
        `${from.displayName} is typing`,
      );
      await from.talk.clear();
      await from.talk.send(`has ${to.name} read this?`);
      await to.talk.sees(`has ${to.name} read this?`);
      // The client takes a message for read while somebody is at the page.
      await to.page.mouse.move(640, 300);
      await to.page.mouse.move(660, 320);
      const seen = from.talk.tile(`has ${to.name} read this?`).locator(".mx_EventTile_readAvatars");
      await expect(seen.locator(".mx_BaseAvatar").first()).toBeVisible();
    });

    test(`how long it takes, from ${way}`, async ({ stage }) => {
      const [from, to] = of(stage);
      const times = [];
      for (let i = 0; i < SAMPLES; i++) {
        times.push(await from.talk.timed(to, `tick ${i} of ${from.name}`));
      }
      figure(`${from.browserName} to ${to.browserName}, from Enter to seen, ms`, {
        p50: quantile(times, 0.5),
        p99: quantile(times, 0.99),
        all: times,
      });
    });
  }
});
