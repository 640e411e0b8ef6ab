/**
 * The native homeserver is driven over HTTP, and each request and each answer is judged by the
 * specification's OpenAPI data. At the end: the table of operations, written to $REPORT as well.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, test } from "node:test";

import { conversations } from "../client/conversations/index.mjs";
import { scratch, startNeurite, startRelay } from "../client/servers.mjs";
import { Stage } from "./actor.mjs";
import { areas } from "./areas.mjs";
import { Ledger } from "./ledger.mjs";
import { Resident } from "./resident.mjs";
import { isThere, place, Spec } from "./spec.mjs";
import { DELEGATE } from "./areas/federation.mjs";

/** How many operations counted when this was last raised; it only rises. */
const FLOOR = { client: 129, server: 36 };
const WITHIN_MS = 120_000;

if (!isThere()) {
  const why = `there is no OpenAPI data in ${place} (set SPEC to the specification's data folder)`;
  test("conformance/data judges every answer", { skip: why }, () => {});
} else {
  const spec = new Spec();
  const ledger = new Ledger(spec);
  const relay = await startRelay("ours");
  const delegation = [
    "--well-known-server",
    DELEGATE,
    "--well-known-client",
    `https://${DELEGATE}`,
  ];
  const server = await startNeurite(await scratch(), ["--relay", relay.url, ...delegation]);
  const stage = new Stage(spec, ledger, server.base);

  const resident = new Resident(spec, ledger, relay.url, server.name);
  await resident.start();

  after(async () => {
    resident.stop();
    await server.stop();
    await relay.stop();
    const report = ledger.report();
    console.log(report);
    if (process.env.REPORT) {
      await writeFile(process.env.REPORT, report);
    }
  });

  /** @param {string} name @param {() => Promise<void>} run */
  const judgedTest = (name, run) =>
    test(name, { timeout: WITHIN_MS }, async () => {
      ledger.begin(name);
      await run();
      assert.equal(ledger.faults.join("\n  "), "", "by the OpenAPI data");
    });

  for (const [area, cases] of Object.entries(areas)) {
    for (const { name, run } of cases) {
      judgedTest(`${area}: ${name}`, () => run({ stage, resident, anyone: stage.anyone }));
    }
  }
  for (const { name, run } of conversations) {
    judgedTest(`judged as well: ${name}`, async () => run({ server: stage.server }));
  }

  for (const api of /** @type {const} */ (["client", "server"])) {
    test(`at least ${FLOOR[api]} operations of the ${api} API count`, () => {
      assert.ok(ledger.count(api).counted >= FLOOR[api], ledger.totals());
    });
  }
}
