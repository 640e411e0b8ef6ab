/** Prometheus' text format, version 0.0.4, read strictly. */
import { ok } from "./check.mjs";

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{\w+="(?:[^"\\\n]|\\[\\"n])*"\})? (-?\d+(?:\.\d+)?)$/;

/**
 * @param {string} text
 * @returns {Map<string, number>} name with its labels, and the value
 */
export function metrics(text) {
  const types = new Map();
  const found = new Map();
  ok(text.endsWith("\n"), "the last line ends");
  for (const line of text.slice(0, -1).split("\n")) {
    const type = /^# TYPE (\S+) (gauge|counter|summary)$/.exec(line);
    if (type) {
      ok(!types.has(type[1]), `one TYPE for ${type[1]}`);
      types.set(type[1], type[2]);
    } else if (!/^# HELP \S+ \S/.test(line)) {
      const sample = SAMPLE.exec(line);
      ok(sample, `a sample: ${line}`);
      const [, name, labels = "", value] = sample ?? [];
      ok(types.has(name) || types.has(name.replace(/_(count|sum)$/, "")), `${name} has a TYPE`);
      ok(!found.has(name + labels), `${name}${labels} is there once`);
      found.set(name + labels, Number(value));
    }
  }
  return found;
}
