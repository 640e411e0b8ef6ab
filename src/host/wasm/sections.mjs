/** The binary form of a WebAssembly module, as far as its borders go. */

export const HEADER_SIZE = 8;
export const CUSTOM_SECTION = 0;
export const EXPORT_SECTION = 7;
const TYPE_SECTION = 1;
const IMPORT_SECTION = 2;
const FUNCTION_SECTION = 3;
const FUNCTION = 0;
/** @type {Record<number, string>} */
const TYPES = { 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64" };

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {[value: number, end: number]} an unsigned LEB128 number
 */
export function readNumber(bytes, at) {
  let value = 0;
  let shift = 0;
  for (; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      return [value, at];
    }
  }
}

/** @param {number} value */
export function writeNumber(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {[text: string, end: number]}
 */
export function readName(bytes, at) {
  const [length, start] = readNumber(bytes, at);
  return [bytes.toString("utf8", start, start + length), start + length];
}

/** @param {string} name */
export function writeName(name) {
  return Buffer.concat([writeNumber(Buffer.byteLength(name)), Buffer.from(name)]);
}

/**
 * @param {number} id
 * @param {Buffer} payload
 */
export function writeSection(id, payload) {
  return Buffer.concat([Buffer.from([id]), writeNumber(payload.length), payload]);
}

/**
 * @param {Buffer} module
 * @returns {{ id: number, payload: Buffer }[]}
 */
export function sections(module) {
  const found = [];
  for (let at = HEADER_SIZE; at < module.length;) {
    const id = module[at];
    const [size, start] = readNumber(module, at + 1);
    at = start + size;
    found.push({ id, payload: module.subarray(start, at) });
  }
  return found;
}

/**
 * @param {Buffer} payload of the type section
 * @returns {string[]} each as "(i32, i64) -> i32"
 */
function readTypes(payload) {
  let [count, at] = readNumber(payload, 0);
  const list = () => {
    const [n, start] = readNumber(payload, at);
    at = start + n;
    return [...payload.subarray(start, at)].map((byte) => TYPES[byte] ?? "?");
  };
  const types = [];
  for (; count > 0; count--) {
    at++; // the mark of a function type
    const params = list().join(", ");
    const results = list().join(", ");
    types.push(`(${params})${results ? ` -> ${results}` : ""}`);
  }
  return types;
}

/**
 * The functions at the module's border, which has to import nothing but functions.
 *
 * @param {Buffer} module
 * @returns {{ imports: Record<string, string>, exports: Record<string, string> }} name to type
 */
export function border(module) {
  const all = sections(module);
  const payloadOf = (/** @type {number} */ wanted) =>
    all.find(({ id }) => id === wanted)?.payload ?? Buffer.from([0]);
  const types = readTypes(payloadOf(TYPE_SECTION));
  /** @type {string[]} type of each function, imported ones first */
  const functions = [];
  /** @type {Record<string, string>} */
  const imports = {};
  const importing = payloadOf(IMPORT_SECTION);
  let [count, at] = readNumber(importing, 0);
  for (; count > 0; count--) {
    const [from, afterFrom] = readName(importing, at);
    const [name, afterName] = readName(importing, afterFrom);
    if (importing[afterName] !== FUNCTION) {
      throw new Error(`${from}.${name} is not a function`);
    }
    const [type, end] = readNumber(importing, afterName + 1);
    at = end;
    functions.push(types[type]);
    imports[`${from}.${name}`] = types[type];
  }
  const own = payloadOf(FUNCTION_SECTION);
  [count, at] = readNumber(own, 0);
  for (; count > 0; count--) {
    const [type, end] = readNumber(own, at);
    at = end;
    functions.push(types[type]);
  }
  return { imports, exports: readExports(payloadOf(EXPORT_SECTION), functions) };
}

/**
 * @param {Buffer} payload
 * @param {string[]} functions
 */
function readExports(payload, functions) {
  /** @type {Record<string, string>} */
  const exports = {};
  let [count, at] = readNumber(payload, 0);
  for (; count > 0; count--) {
    const [name, afterName] = readName(payload, at);
    const [index, end] = readNumber(payload, afterName + 1);
    exports[name] = payload[afterName] === FUNCTION ? functions[index] : "memory";
    at = end;
  }
  return exports;
}
