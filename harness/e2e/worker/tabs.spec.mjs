import { expect, test } from "../../fixtures.mjs";
import { ask, getNote, install, killWorkers, park, putNote, workerFacts } from "../../worker.mjs";

test("two tabs are served by one worker with one homeserver", async ({
  installed: first,
  context,
  browserName,
  site,
}) => {
  await putNote(first, "a", "from the first");
  const { generation, flushes } = await workerFacts(first);
  const second = await context.newPage();
  await install(second, site.origin);
  expect(await getNote(second, "a")).toBe("from the first");
  const { woken } = await park(first);
  await putNote(second, "b", "from the second");
  expect(await woken).toEqual({ woken: true });
  expect(await getNote(first, "b")).toBe("from the second");
  expect(await workerFacts(second)).toMatchObject({ generation, flushes: flushes + 1, deaths: [] });

  // Its death is one for both, and both find the one that follows.
  await killWorkers(second, browserName);
  const notes = await Promise.all([getNote(first, "b"), getNote(second, "a")]);
  expect(notes).toEqual(["from the second", "from the first"]);
  expect((await workerFacts(first)).generation).toBe(generation + 1);

  await first.close();
  await putNote(second, "c", "alone");
  expect((await workerFacts(second)).generation).toBe(generation + 1);
  expect((await ask(second, "GET", "/_matrix/note/c")).text).toBe("alone");
});
