/** How large the module is that browsers fetch. */
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { built } from "./place.mjs";

/** @param {import("./figures.mjs").Figures} figures */
export function sizes(figures) {
  const bytes = readFileSync(built("dendrite.wasm"));
  const put = (/** @type {string} */ name, /** @type {number} */ n, /** @type {number} */ aim) =>
    figures.put(name, n / 1000, { unit: "KB", best: "low", ...(aim ? { aim } : {}) });
  put("dendrite.wasm", bytes.length, 0);
  put("dendrite.wasm, gzip", gzipSync(bytes, { level: 9 }).length, 0);
  put("dendrite.wasm, brotli", brotliCompressSync(bytes).length, 600);
  put("dendrite_sw.js", readFileSync(built("dendrite_sw.js")).length, 0);
}
