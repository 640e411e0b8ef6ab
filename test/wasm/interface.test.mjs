/** The module, its document and its data agree. WASM_FILE names the module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { border } from "../../src/host/wasm/sections.mjs";
import { EXPORTS, IMPORTS, INTERFACE, SECTION } from "../../src/host/wasm/worker/interface.js";

const file = process.env.WASM_FILE;
if (!file) {
  throw new Error("WASM_FILE is not set");
}
const bytes = readFileSync(file);
const page = readFileSync(new URL("../../docs/host-interface.md", import.meta.url), "utf8");

/**
 * @param {string} title of a chapter
 * @returns {Record<string, string>} name to type, as its table has them
 */
function documented(title) {
  const chapter = page.split(`\n## ${title}\n`)[1].split("\n## ")[0];
  const rows = chapter.matchAll(/^\| `(\w+)` \| `?([^|`]+?)`? \|/gm);
  return Object.fromEntries([...rows].map(([, name, type]) => [name, type]));
}

test("the imports are those of the document, with their types", () => {
  const { imports } = border(bytes);
  const want = Object.entries(documented("Imports")).map(([name, type]) => [`host.${name}`, type]);
  assert.deepEqual(imports, Object.fromEntries(want));
});

test("the exports are those of the document, with their types", () => {
  assert.deepEqual(border(bytes).exports, documented("Exports"));
});

test("the worker's lists are the document's", () => {
  assert.deepEqual([...IMPORTS].sort(), Object.keys(documented("Imports")).sort());
  assert.deepEqual([...EXPORTS].sort(), Object.keys(documented("Exports")).sort());
});

test("the section has the document's interface number, a build and a revision", async () => {
  const module = await WebAssembly.compile(bytes);
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  const said = JSON.parse(new TextDecoder().decode(section));
  assert.equal(said.interface, INTERFACE);
  assert.match(page, new RegExp(`\\*\\*Interface number ${INTERFACE}\\.\\*\\*`));
  assert.match(said.build, /^\S+-[0-9a-f]{10}$/);
  assert.ok(said.revision);
});
