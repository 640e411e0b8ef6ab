/** What all parts measure with: quantiles, work by several hands, a process's memory and processor time. */
import { readFileSync, readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";

const TICKS_PER_S = Number(execFileSync("getconf", ["CLK_TCK"]).toString());

/**
 * @param {number[]} values
 * @param {number} part 0 to 1
 */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {number} n
 * @returns {number[]} 0 to n - 1
 */
export const upTo = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * The work of some hands, each doing one thing after the other, until there were so many or time is up.
 *
 * @param {number} hands
 * @param {{ count?: number, ms?: number }} bounds
 * @param {(hand: number, i: number) => Promise<unknown>} work
 * @returns {Promise<{ perSecond: number, times: number[] }>} times: of each piece, ms
 */
export async function drive(hands, { count = 1_000_000, ms = 120_000 }, work) {
  /** @type {number[]} */
  const times = [];
  const began = performance.now();
  let next = 0;
  await Promise.all(
    upTo(hands).map(async (hand) => {
      while (next < count && performance.now() - began < ms) {
        const start = performance.now();
        await work(hand, next++);
        times.push(performance.now() - start);
      }
    }),
  );
  return { perSecond: (times.length * 1000) / (performance.now() - began), times };
}

/** @param {number | string} pid @returns {string[]} the fields of its stat behind the name */
function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/**
 * A process and its children.
 *
 * @param {number} root
 */
function family(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(statOf(pid)[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(pid)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const all = [root];
  for (let i = 0; i < all.length; i++) {
    all.push(...(children.get(all[i]) ?? []));
  }
  return all;
}

/**
 * What a process and its children use.
 *
 * @param {number} pid
 */
export function usage(pid) {
  let kib = 0;
  let seconds = 0;
  for (const one of family(pid)) {
    try {
      const fields = statOf(one);
      seconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
      const status = readFileSync(`/proc/${one}/status`, "latin1");
      kib += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return { mib: kib / 1024, seconds };
}
