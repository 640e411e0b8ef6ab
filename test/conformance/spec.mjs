/**
 * The specification's OpenAPI data, read from the folder SPEC (else ../shared/matrix-spec/data beside
 * the project): its operations, and validators of what they say. Nothing of the data is in this tree.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { parse } from "yaml";

const require = createRequire(import.meta.url);
/** @type {typeof import("ajv/dist/2020.js").default} */
const Ajv = require("ajv/dist/2020.js").default;
/** @type {typeof import("ajv-formats").default} */
const addFormats = require("ajv-formats").default;

const beside = fileURLToPath(new URL("../../../shared/matrix-spec/data", import.meta.url));
/** Where the data is looked for. */
export const place = process.env.SPEC ?? beside;
/** @returns {boolean} */
export const isThere = () => existsSync(path.join(place, "api/client-server"));

const METHODS = ["get", "put", "post", "delete"];
/** Identifiers as the specification's string-formats.yaml names them. */
const FORMATS = {
  "mx-user-id": /^@[^:\0]*:.+$/,
  "mx-event-id": /^\$.+$/,
  "mx-room-id": /^!.+$/,
  "mx-room-alias": /^#[^:\0]*:.+$/,
  "mx-server-name": /^[^/@#!$\s]+$/,
  "mx-mxc-uri": /^mxc:\/\/[^/]+\/[A-Za-z0-9_-]+$/,
  "mx-unpadded-base64": /^[A-Za-z0-9+/]*$/,
  "mx-urlsafe-unpadded-base64": /^[A-Za-z0-9_-]*$/,
};

/** @typedef {import("ajv").ValidateFunction} Validate */
/** @typedef {(value: unknown) => string[]} Lazy what is wrong with a value */
/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {"path" | "query" | "header"} in
 * @property {boolean} required
 * @property {Lazy} validate its value
 * @property {string} type
 */
/**
 * @typedef {object} Operation
 * @property {"client" | "server"} api
 * @property {string} id
 * @property {string} method in capitals
 * @property {string} path with {parameters}
 * @property {Parameter[]} parameters
 * @property {string[]} statuses those that the data lists
 * @property {string[]} errors those of them that are errors, without 429
 * @property {string[]} security names of the schemes that it wants; empty: none
 * @property {boolean} isOpen it may be called without any
 * @property {boolean} wantsBody
 * @property {Lazy | undefined} request its JSON body
 * @property {Map<string, Lazy>} answers JSON bodies, by status
 * @property {boolean} isJson whether its 200 is JSON
 */

/** @param {import("ajv").ErrorObject} error */
const sentence = (error) =>
  `${error.instancePath || "the whole"} ${error.message} ${JSON.stringify(error.params)}`;

/** A part of a JSON pointer, out of a URI's fragment. @param {string} part */
const unescape = (part) => decodeURIComponent(part).replace(/~1/g, "/").replace(/~0/g, "~");

/**
 * Turns each relative $ref into a URI, whatever document it will be read from.
 * @param {any} node
 * @param {string} uri of its document
 */
function makeAbsolute(node, uri) {
  for (const [key, value] of Object.entries(node)) {
    if (key === "$ref" && typeof value === "string") {
      node.$ref = new URL(value, uri).href;
    } else if (value !== null && typeof value === "object") {
      makeAbsolute(value, uri);
    }
  }
}

/** Every YAML and JSON file below a folder. @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(name) : /\.(ya?ml|json)$/.test(name) ? [name] : [];
  });
}

/** The data, loaded once. */
export class Spec {
  constructor() {
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true, logger: false });
    addFormats(this.ajv, ["uri", "email", "int64", "float", "double", "int32"]);
    for (const [name, pattern] of Object.entries(FORMATS)) {
      this.ajv.addFormat(name, pattern);
    }
    this.ajv.addKeyword({
      keyword: "x-pattern-format", // what the name of the member is that holds the value
      schemaType: "string",
      /** @type {import("ajv").SchemaValidateFunction} */
      validate: (format, _value, _schema, at) =>
        FORMATS[/** @type {keyof FORMATS} */ (format)].test(String(at?.parentDataProperty)),
    });
    /** @type {Map<string, any>} documents by URI */
    this.documents = new Map();
    for (const folder of ["api", "event-schemas/schema", "schemas"]) {
      for (const file of filesBelow(path.join(place, folder))) {
        this.load(file);
      }
    }
    /** The answer that asks for a stage of user-interactive authentication. */
    this.stages = this.validator({
      $ref: "spec:///api/client-server/definitions/auth_response.yaml",
    });
    /** @type {Operation[]} */
    this.operations = [
      ...this.operationsOf("client", "api/client-server"),
      ...this.operationsOf("server", "api/server-server"),
    ];
  }

  /** @param {string} file */
  load(file) {
    const document = parse(readFileSync(file, "utf8"));
    if (typeof document === "object" && document !== null && !Array.isArray(document)) {
      const uri = `spec:///${path.relative(place, file).split(path.sep).map(encodeURIComponent).join("/")}`;
      makeAbsolute(document, uri);
      this.documents.set(uri, document);
      this.ajv.addSchema(document, uri, false, false);
    }
  }

  /**
   * What a pointer leads to, through one $ref.
   * @param {string} uri of a document
   * @param {string[]} at
   * @returns {{ uri: string, at: string[], value: any }}
   */
  follow(uri, at) {
    let value = this.documents.get(uri);
    for (const part of at) {
      value = value?.[part];
    }
    if (typeof value?.$ref === "string") {
      const [file, fragment = ""] = value.$ref.split("#");
      const parts = fragment.split("/").slice(1);
      return this.follow(file, parts.map(unescape));
    }
    return { uri, at, value };
  }

  /**
   * Compiles at the first use: few operations are met in a run of few cases.
   * @param {any} schema of a document
   * @returns {Lazy}
   */
  validator(schema) {
    /** @type {Validate | undefined} */
    let compiled;
    return (value) => {
      compiled ??= /** @type {Validate} */ (this.ajv.compile(schema));
      return compiled(value) ? [] : (compiled.errors ?? []).map(sentence);
    };
  }

  /**
   * @param {"client" | "server"} api
   * @param {string} folder
   * @returns {Operation[]}
   */
  operationsOf(api, folder) {
    return readdirSync(path.join(place, folder))
      .filter((name) => name.endsWith(".yaml"))
      .flatMap((name) => {
        const uri = `spec:///${folder}/${name}`;
        const document = this.documents.get(uri);
        const base = document.servers[0].variables.basePath.default;
        return Object.entries(document.paths).flatMap(([template, item]) =>
          METHODS.filter((method) => item[method] !== undefined).map((method) =>
            this.operation(api, uri, base + template.trim(), ["paths", template, method]),
          ),
        );
      });
  }

  /**
   * @param {"client" | "server"} api
   * @param {string} uri
   * @param {string} template
   * @param {string[]} at
   * @returns {Operation}
   */
  operation(api, uri, template, at) {
    const { value } = this.follow(uri, at);
    const statuses = Object.keys(value.responses);
    /** @type {Map<string, Lazy>} */
    const answers = new Map();
    for (const status of statuses) {
      const answer = this.json(uri, [...at, "responses", status]);
      if (answer !== undefined) {
        answers.set(status, answer);
      }
    }
    const security = (value.security ?? []).flatMap((/** @type {object} */ s) => Object.keys(s));
    const content = this.follow(uri, [...at, "responses", "200"]).value?.content ?? {};
    return {
      api,
      id: value.operationId,
      method: at[2].toUpperCase(),
      path: template,
      parameters: this.parametersOf(uri, at),
      statuses,
      errors: statuses.filter((s) => s >= "400" && s !== "429"),
      security,
      isOpen: value.security === undefined || value.security.some(isNothing),
      wantsBody: this.follow(uri, [...at, "requestBody"]).value?.required === true,
      request: this.json(uri, [...at, "requestBody"]),
      answers,
      isJson: Object.keys(content).length === 0 || content["application/json"] !== undefined,
    };
  }

  /**
   * The validator of the JSON that a request body or a response holds.
   * @param {string} uri
   * @param {string[]} at
   */
  json(uri, at) {
    const found = this.follow(uri, at);
    const schema = found.value?.content?.["application/json"]?.schema;
    return schema === undefined ? undefined : this.validator(schema);
  }

  /** @param {string} uri @param {string[]} at @returns {Parameter[]} */
  parametersOf(uri, at) {
    return [at.slice(0, 2), at].flatMap((of) =>
      (this.follow(uri, [...of, "parameters"]).value ?? []).map(
        (/** @type {unknown} */ _, /** @type {number} */ i) => {
          const { value } = this.follow(uri, [...of, "parameters", String(i)]);
          return {
            name: value.name,
            in: value.in,
            required: value.required === true,
            type: value.schema?.type ?? "string",
            validate: this.validator(value.schema ?? {}),
          };
        },
      ),
    );
  }
}

/** @param {object} scheme */
function isNothing(scheme) {
  return Object.keys(scheme).length === 0;
}
