/**
 * Measures: node harness/bench/main.mjs PART..., by scripts/bench.sh. Shows each figure as it comes, and
 * leaves a table, build/bench/bench.json, and a line more in build/bench/trend.jsonl. Nothing timed is
 * judged; the exit status is 1 when a part could not be measured because of an error.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { cold } from "./cold.mjs";
import { cost } from "./cost.mjs";
import { federation } from "./federation.mjs";
import { Figures, ratio, reached } from "./figures.mjs";
import { latency } from "./latency.mjs";
import { native, synapse } from "./native.mjs";
import { top } from "./place.mjs";
import { relay } from "./relay.mjs";
import { sizes } from "./sizes.mjs";

/** @type {Record<string, (figures: Figures) => void | Promise<void>>} */
const PARTS = { sizes, cost, native, synapse, federation, relay, cold, latency };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PARTS));
if (wanted.length === 0 || unknown.length > 0) {
  console.error(`bench: there are ${Object.keys(PARTS).join(", ")}; not ${unknown.join(", ")}`);
  process.exit(2);
}

const figures = new Figures((line) => console.log(line));
const started = new Date();
/** @type {Record<string, number[]>} */
const load = { before: loadavg() };
let failed = 0;
for (const name of Object.keys(PARTS).filter((one) => wanted.includes(one))) {
  const began = performance.now();
  console.log(`== ${name}`);
  figures.part = name;
  figures.side = "ours";
  try {
    await PARTS[name](figures);
  } catch (error) {
    failed += 1;
    figures.note(`stopped by an error: ${error instanceof Error ? error.stack : error}`);
  }
  load[name] = loadavg();
  console.log(`== ${name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

const folder = join(top, "build/bench");
mkdirSync(folder, { recursive: true });
const machine = {
  processors: cpus().length,
  model: cpus()[0]?.model ?? "",
  memory_kib: Number(/^MemTotal:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0),
  load,
};
const rows = figures.all.map((one) => ({ ...one, ratio: ratio(one), reached: reached(one) }));
const result = {
  started: started.toISOString(),
  build: process.env.BUILD_ID ?? "",
  machine,
  figures: rows,
  notes: figures.notes,
};
writeFileSync(join(folder, "bench.json"), `${JSON.stringify(result, null, 2)}\n`);
const line = rows.map(({ part, name, ours, peer }) => [`${part}: ${name}`, ours, peer]);
const trend = { started: result.started, build: result.build, figures: line };
appendFileSync(join(folder, "trend.jsonl"), `${JSON.stringify(trend)}\n`);
console.log(`\n${figures.table()}`);
console.log(
  `\nload averages: ${loadavg()
    .map((n) => n.toFixed(2))
    .join(" ")} (before: ${load.before
    .map((n) => n.toFixed(2))
    .join(" ")}); ${join("build/bench", "bench.json")} has it all`,
);
process.exit(failed > 0 ? 1 : 0);
