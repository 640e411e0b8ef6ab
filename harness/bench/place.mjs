/** Where things are: the build, the ports, folders that go away again. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const top = fileURLToPath(new URL("../../", import.meta.url));

/** The first of a hundred ports that nobody else uses. */
export const PORT = Number(process.env.BENCH_PORT ?? 18700);

/**
 * A file of the build.
 *
 * @param {string} name
 */
export function built(name) {
  const file = join(top, "build", name);
  if (!existsSync(file)) {
    throw new Error(`${file} is not there: make native wasm`);
  }
  return file;
}

/**
 * @template T
 * @param {(folder: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function inFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), "neurite-bench-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
