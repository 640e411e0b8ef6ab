/** What a test under faults counted, for docs/reliability.md. */
import { appendFile } from "node:fs/promises";

/**
 * @typedef {object} Tally
 * @property {string} fault what was done, in words
 * @property {number} injected how often
 * @property {number} [acknowledged] writes that were answered
 * @property {number} [lost] of these, and is not there
 * @property {number} [duplicated] done twice, or answered otherwise the second time
 * @property {number} [out_of_order]
 * @property {string} command that does it again
 */

/**
 * Puts a line of JSON behind the file RELIABILITY, where there is one.
 *
 * @param {Tally} tally
 */
export async function tell(tally) {
  if (process.env.RELIABILITY) {
    await appendFile(process.env.RELIABILITY, `${JSON.stringify(tally)}\n`);
  }
}

/**
 * How many of the wanted are in the list that came out of order.
 *
 * @param {number[]} list that should ascend
 */
export function outOfOrder(list) {
  return list.filter((one, i) => i > 0 && one < list[i - 1]).length;
}
