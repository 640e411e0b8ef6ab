/** Step 2: rooms across the two homeservers, by alias and by the directory. */
import { BAR, expect, FOO, test } from "../../fixtures-scenario.mjs";

test.describe("2 rooms", () => {
  test("the first makes a public room with an alias, a topic and a name", async ({ stage }) => {
    const { first, notes } = stage;
    await first.rooms.create(FOO);
    expect(await first.rooms.topic()).toBe(FOO.topic);
    const alias = `#${FOO.alias}:${notes.get("first.server")}`;
    const found = await first.ask(
      "GET",
      `/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`,
    );
    expect(found.status).toBe(200);
    notes.set("foo.id", found.json.room_id);
    notes.set("foo.alias", alias);
  });

  test("the second makes one too, and joins the first's by /join", async ({ stage }) => {
    const { second, notes } = stage;
    await second.rooms.create(BAR);
    notes.set("bar.alias", `#${BAR.alias}:${notes.get("second.server")}`);
    await second.rooms.joinByCommand(notes.get("foo.alias"), FOO.name);
    expect(await second.rooms.topic()).toBe(FOO.topic);
  });

  test("roles swapped, the first finds the other room in the directory", async ({ stage }) => {
    const { first, notes } = stage;
    await first.rooms.joinByDirectory(BAR.name, notes.get("bar.alias"));
    expect(await first.rooms.topic()).toBe(BAR.topic);
    expect((await first.rooms.list()).sort()).toEqual([BAR.name, FOO.name]);
  });
});
