/** Step 1: two people come to the page and register, each at the homeserver in their own browser. */
import { expect, figure, test } from "../../fixtures-scenario.mjs";

test.describe("1 register", () => {
  for (const who of /** @type {const} */ (["first", "second"])) {
    test(`the ${who} registers at the first try, at the page's own host`, async ({ stage }) => {
      const person = stage[who];
      const began = Date.now();
      await person.openRegistration();
      figure(`${person.browserName}: from nothing to the form, ms`, Date.now() - began);
      const { host } = new URL(person.origin);
      expect(await person.formHeading()).toBe(`Create your Matrix account on ${host}`);
      await person.register();
      const { userId, server } = await person.session();
      expect(userId).toBe(`@${person.name}:${server}`);
      stage.notes.set(`${who}.userId`, userId);
      stage.notes.set(`${who}.server`, server);
    });
  }

  test("no page of another site can show the client in a frame", async ({ stage }) => {
    const { headers } = await fetch(stage.first.origin);
    expect(headers.get("content-security-policy")).toBe("frame-ancestors 'self'");
  });

  test("each has a homeserver of their own, and both are at the relay", async ({ stage }) => {
    expect(stage.notes.get("first.server")).not.toBe(stage.notes.get("second.server"));
    for (const person of [stage.first, stage.second]) {
      await expect
        .poll(async () => (await person.ask("GET", "/_neurite/alive?relay=")).json?.relay)
        .toBe("up");
    }
  });
});
