/**
 * Writes docs/reliability.md out of what tests under faults counted: lines of JSON on standard input,
 * as test/client/reliability.mjs has them. The newest of a kind counts. Use:
 *   node scripts/reliability.mjs FILE.md <FILE.jsonl
 */
import { readFileSync, writeFileSync } from "node:fs";

/** @typedef {import("../test/client/reliability.mjs").Tally} Tally */

const HEAD = `# What was broken on purpose, and what came of it

Written by \`make reliability\` from what the tests counted; nothing here is typed by hand. A row's command
does it again, \`make nightly\` with the large counts. A column that a kind of fault cannot fill has a dash.

`;
const COLUMNS = ["fault", "injected", "acknowledged", "lost", "duplicated", "out_of_order"];

/** @type {Map<string, Tally>} */
const rows = new Map();
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const tally = /** @type {Tally} */ (JSON.parse(line));
  rows.set(tally.fault, tally);
}
const table = [...rows.values()].map((tally) => {
  const cells = COLUMNS.map((name) => /** @type {any} */ (tally)[name] ?? "–");
  return `| ${cells.join(" | ")} | \`${tally.command}\` |`;
});
const head = [
  "| fault | injected | acknowledged writes | lost | duplicated | out of order | again with |",
  "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
];
writeFileSync(process.argv[2], `${HEAD}${[...head, ...table].join("\n")}\n`);

const bad = [...rows.values()].filter(
  ({ lost = 0, duplicated = 0, out_of_order: disorder = 0 }) => lost + duplicated + disorder > 0,
);
console.log(`${rows.size} kinds of fault, ${bad.length} with a loss: ${process.argv[2]}`);
process.exitCode = rows.size > 0 && bad.length === 0 ? 0 : 1;
