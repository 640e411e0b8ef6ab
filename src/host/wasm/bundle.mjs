/** Bundles the worker into one script: node bundle.mjs OUT */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const [out] = process.argv.slice(2);
if (!out) {
  throw new Error("usage: node bundle.mjs OUT");
}
await build({
  entryPoints: [fileURLToPath(new URL("worker/main.js", import.meta.url))],
  outfile: out,
  bundle: true,
  format: "iife",
  target: "es2022",
  loader: { ".html": "text" },
  charset: "utf8",
  logLevel: "warning",
});
