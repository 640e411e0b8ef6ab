/**
 * The last step of linking: refuses a module that imports more than the interface has, leaves in it
 * only the exports that the interface names, and writes the custom section that says what it is.
 *
 *   node stamp.mjs IN OUT [--build ID] [--revision TEXT] [--interface N] [--suffix TEXT]
 *
 * The build id is ID and the first digits of the module's own hash, so that two different modules
 * never share one; --suffix adds to it, and --interface writes another number: both for tests of what
 * the worker does with other builds.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import {
  CUSTOM_SECTION,
  EXPORT_SECTION,
  HEADER_SIZE,
  readName,
  readNumber,
  sections,
  writeName,
  writeNumber,
  writeSection,
} from "./sections.mjs";
import { EXPORTS, IMPORTS, INTERFACE, SECTION } from "./worker/interface.js";

/** @param {Buffer} payload of the export section */
function keepDocumented(payload) {
  const entries = [];
  const found = new Set();
  let [count, at] = readNumber(payload, 0);
  for (; count > 0; count--) {
    const start = at;
    const [name, afterName] = readName(payload, at);
    at = readNumber(payload, afterName + 1)[1];
    if (EXPORTS.includes(name)) {
      entries.push(payload.subarray(start, at));
      found.add(name);
    }
  }
  const missing = EXPORTS.filter((name) => !found.has(name));
  if (missing.length > 0) {
    throw new Error(`the module does not export ${missing.join(", ")}`);
  }
  return Buffer.concat([writeNumber(entries.length), ...entries]);
}

/**
 * @param {Buffer} module
 * @returns {Buffer} without undocumented exports and without a section of ours
 */
function strip(module) {
  const parts = [module.subarray(0, HEADER_SIZE)];
  for (const { id, payload } of sections(module)) {
    if (id === EXPORT_SECTION) {
      parts.push(writeSection(id, keepDocumented(payload)));
    } else if (id !== CUSTOM_SECTION || readName(payload, 0)[0] !== SECTION) {
      parts.push(writeSection(id, payload));
    }
  }
  return Buffer.concat(parts);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    build: { type: "string", default: "dev" },
    revision: { type: "string", default: "unknown" },
    interface: { type: "string", default: String(INTERFACE) },
    suffix: { type: "string", default: "" },
  },
});
const [from, to] = positionals;
if (positionals.length !== 2) {
  throw new Error("usage: node stamp.mjs IN OUT [--build ID] [--revision TEXT] [--suffix TEXT]");
}
const linked = readFileSync(from);
const foreign = WebAssembly.Module.imports(new WebAssembly.Module(linked)).filter(
  (wanted) => wanted.module !== "host" || !IMPORTS.includes(wanted.name),
);
if (foreign.length > 0) {
  const names = foreign.map((wanted) => `${wanted.module}.${wanted.name}`);
  throw new Error(`the module imports what the interface does not have: ${names.join(", ")}`);
}
const module = strip(linked);
const hash = createHash("sha256").update(module).digest("hex").slice(0, 10);
/** @type {import("./worker/interface.js").Section} */
const section = {
  interface: Number(values.interface),
  build: `${values.build}-${hash}${values.suffix}`,
  revision: values.revision,
};
const text = Buffer.concat([writeName(SECTION), Buffer.from(JSON.stringify(section))]);
mkdirSync(dirname(to), { recursive: true });
writeFileSync(to, Buffer.concat([module, writeSection(CUSTOM_SECTION, text)]));
console.log(`${to}: interface ${section.interface}, build ${section.build}`);
