// Makes package-lock.json anew, for whoever changes a version: node riot-patches/lock.mjs
//
// package.json says what the build asks for, overrides.json which versions the packages get that
// others pull in. npm's own overrides are used only here: several versions of npm cannot read a lock
// in which one of them replaces a git address or a URL. So in the lock each dependency is named by the
// exact version that it got, and what npm ci finds there fits without any override.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** @param {string} file */
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

/**
 * The entry that node would find for a name from inside a package.
 *
 * @param {Record<string, any>} packages the lock's packages, by path
 * @param {string} from path of the package that asks, "" for the root
 * @param {string} name
 */
function found(packages, from, name) {
  for (let folder = from; ;) {
    const entry = packages[join(folder, "node_modules", name)];
    if (entry || folder === "") {
      return entry;
    }
    const end = folder.lastIndexOf("/node_modules/");
    folder = end < 0 ? "" : folder.slice(0, end);
  }
}

/**
 * @param {Record<string, any>} packages changed in place
 */
function pinEdges(packages) {
  for (const [path, entry] of Object.entries(packages)) {
    for (const kind of ["dependencies", "optionalDependencies"]) {
      for (const name of Object.keys(entry[kind] || {})) {
        const got = found(packages, path, name);
        if (got && path !== "") {
          entry[kind][name] = got.name ? `npm:${got.name}@${got.version}` : got.version;
        }
      }
    }
    delete entry.resolved; // a registry's address; the lock has to work behind any
    delete entry.funding;
  }
}

const work = mkdtempSync(join(tmpdir(), "riot-lock-"));
try {
  const manifest = read(join(here, "package.json"));
  manifest.overrides = read(join(here, "overrides.json"));
  writeFileSync(join(work, "package.json"), JSON.stringify(manifest));
  cpSync(join(here, "package-lock.json"), join(work, "package-lock.json"));
  execFileSync(
    "npm",
    ["install", "--package-lock-only", "--ignore-scripts", "--legacy-peer-deps", "--no-audit"],
    { cwd: work, stdio: "inherit" },
  );
  const lock = read(join(work, "package-lock.json"));
  pinEdges(lock.packages);
  writeFileSync(join(here, "package-lock.json"), JSON.stringify(lock, null, 2) + "\n");
} finally {
  rmSync(work, { recursive: true });
}
