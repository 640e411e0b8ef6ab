/**
 * The figures of one run: each is measured for us, and where there is a peer for it as well, on the same
 * machine in the same run. Nothing here is judged but by printing it beside its aim.
 */

/** @typedef {"ours" | "peer"} Side */
/**
 * What a figure is, apart from its values.
 *
 * @typedef {object} Kind
 * @property {string} unit
 * @property {"high" | "low"} best which way is better
 * @property {number} [aim] in that unit
 * @property {number} [times] aim: so many times better than the peer
 */
/** @typedef {Kind & { part: string, name: string, ours?: number, peer?: number }} Figure */

/** @type {Kind} */
export const RATE = { unit: "/s", best: "high" };
/** @type {Kind} */
export const TIME = { unit: "ms", best: "low" };
/** @type {Kind} */
export const MEMORY = { unit: "MiB", best: "low" };

/** @param {number} value */
function short(value) {
  const size = Math.abs(value);
  return size >= 100 ? String(Math.round(value)) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/**
 * How many times better ours is than the peer's.
 *
 * @param {Figure} figure
 */
export function ratio({ ours, peer, best }) {
  if (ours === undefined || peer === undefined) {
    return undefined;
  }
  return best === "high" ? ours / peer : peer / ours;
}

/**
 * How near ours is to its aim; 1 and more: there.
 *
 * @param {Figure} figure
 */
export function reached(figure) {
  const { ours, best, aim, times } = figure;
  const ahead = ratio(figure);
  if (times !== undefined && ahead !== undefined) {
    return ahead / times;
  }
  if (aim !== undefined && ours !== undefined) {
    return best === "high" ? ours / aim : aim / ours;
  }
  return undefined;
}

/** @param {Figure} figure */
function aimOf({ best, aim, times, unit }) {
  const than = best === "high" ? ">" : "<";
  return [
    ...(aim === undefined ? [] : [`${than} ${short(aim)} ${unit}`]),
    ...(times === undefined ? [] : [`x ${times}`]),
  ].join(" or ");
}

/** @param {Figure} figure */
function verdictOf(figure) {
  const part = reached(figure);
  return part === undefined ? "" : part >= 1 ? "reached" : `missed by x ${short(1 / part)}`;
}

export class Figures {
  /** @type {Figure[]} */
  all = [];
  /** @type {{ part: string, text: string }[]} what was not measured, and why; what a figure depends on */
  notes = [];
  part = "";
  /** @type {Side} */
  side = "ours";
  #say;

  /** @param {(line: string) => void} say is told of each figure as it comes */
  constructor(say) {
    this.#say = say;
  }

  /**
   * @param {string} name
   * @param {number | undefined | null} value undefined, null: it could not be measured
   * @param {Kind} kind
   */
  put(name, value, kind) {
    if (value === undefined || value === null || Number.isNaN(value)) {
      this.note(`${name}: no value`);
      return;
    }
    let figure = this.all.find((one) => one.part === this.part && one.name === name);
    if (!figure) {
      figure = { part: this.part, name, ...kind };
      this.all.push(figure);
    }
    figure[this.side] = value;
    this.#say(`  ${name}: ${short(value)} ${kind.unit}`);
  }

  /** @param {string} text */
  note(text) {
    this.notes.push({ part: this.part, text });
    this.#say(`  ${text}`);
  }

  /** @returns {string} a table for people */
  table() {
    const head = ["", "figure", "unit", "ours", "peer", "times better", "aim", ""];
    const rows = this.all.map((figure) => {
      const ahead = ratio(figure);
      return [
        figure.part,
        figure.name,
        figure.unit,
        figure.ours === undefined ? "" : short(figure.ours),
        figure.peer === undefined ? "" : short(figure.peer),
        ahead === undefined ? "" : short(ahead),
        aimOf(figure),
        verdictOf(figure),
      ];
    });
    const all = [head, ...rows];
    const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
    const line = (/** @type {string[]} */ row) =>
      row
        .map((text, i) => (i > 2 && i < 6 ? text.padStart(widths[i]) : text.padEnd(widths[i])))
        .join("  ")
        .trimEnd();
    const notes = this.notes.map(({ part, text }) => `${part}: ${text}`);
    return [
      line(head),
      widths.map((n) => "-".repeat(n)).join("  "),
      ...rows.map(line),
      ...notes,
    ].join("\n");
  }
}
