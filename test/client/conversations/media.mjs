/** The content repository. */
import { equal, ok, refused } from "../check.mjs";
import { fresh } from "../matrix.mjs";

/** Bytes that are no UTF-8. */
const BYTES = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe, 13, 10, 0x80]);

/**
 * A request whose body is bytes, either way.
 * @param {import("../matrix.mjs").User} user
 * @param {string} method
 * @param {string} path below /_matrix
 * @param {{ body?: Uint8Array<ArrayBuffer>, type?: string, token?: boolean }} [options]
 */
export async function bytesOf(user, method, path, { body, type, token = true } = {}) {
  /** @type {Record<string, string>} */
  const headers = token ? { authorization: `Bearer ${user.token}` } : {};
  if (type) {
    headers["content-type"] = type;
  }
  const response = await user.server.fetch(`${user.server.base}/_matrix${path}`, {
    method,
    headers,
    body,
  });
  const content = new Uint8Array(await response.arrayBuffer());
  const is_json = response.headers.get("content-type") === "application/json";
  const json = is_json ? JSON.parse(new TextDecoder().decode(content)) : undefined;
  return { status: response.status, headers: response.headers, content, body: json };
}

/**
 * The id of an upload.
 * @param {import("../matrix.mjs").User} user
 * @param {string} type
 * @param {string} [name]
 */
async function upload(user, type, name) {
  const query = name === undefined ? "" : `?filename=${encodeURIComponent(name)}`;
  const path = `/media/v3/upload${query}`;
  const answer = await bytesOf(user, "POST", path, { body: BYTES, type });
  equal(answer.status, 200, "an upload");
  const start = `mxc://${user.serverName}/`;
  ok(answer.body.content_uri.startsWith(start), "is named by this server");
  return answer.body.content_uri.slice(start.length);
}

/** @type {import("./index.mjs").Conversation[]} */
export const media = [
  {
    name: "a file comes back as it was, by every path",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const id = await upload(alice, "image/png", "a picture.png");
      const at = `${alice.serverName}/${id}`;
      for (const path of [
        `/client/v1/media/download/${at}`,
        `/client/v1/media/thumbnail/${at}?width=32&height=32&method=scale`,
        `/media/v3/download/${at}`,
        `/media/r0/download/${at}/other.png`,
        `/media/v3/thumbnail/${at}?width=32&height=32`,
      ]) {
        const got = await bytesOf(alice, "GET", path);
        equal([got.status, [...got.content]], [200, [...BYTES]], path);
        equal(got.headers.get("content-type"), "image/png", "its type");
        ok(got.headers.get("content-disposition")?.startsWith("inline; filename"), "its name");
        ok(got.headers.get("content-security-policy")?.includes("sandbox"), "nothing runs");
        equal(got.headers.get("cross-origin-resource-policy"), "cross-origin", "it may be shown");
      }
      const nobody = { token: false };
      const closed = await bytesOf(alice, "GET", `/client/v1/media/download/${at}`, nobody);
      equal([closed.status, closed.body.errcode], [401, "M_MISSING_TOKEN"], "with a token only");
      const config = await alice.must("GET", "/_matrix/client/v1/media/config");
      ok(config["m.upload.size"] >= 1024 * 1024, "how large a file may be");
      equal(await alice.must("GET", "/_matrix/media/v3/config"), config, "by the old path too");
    },
  },
  {
    name: "what a browser could run is for saving",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      for (const type of ["text/html", "image/svg+xml", "application/javascript"]) {
        const at = `${alice.serverName}/${await upload(alice, type, "größe.html")}`;
        const got = await bytesOf(alice, "GET", `/client/v1/media/download/${at}`);
        equal(
          got.headers.get("content-disposition"),
          "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.html",
          type,
        );
        const path = `/client/v1/media/thumbnail/${at}?width=1&height=1`;
        equal((await bytesOf(alice, "GET", path)).status, 400, "and has no thumbnail");
      }
    },
  },
  {
    name: "of several types none is told behind the first, as a browser goes by the last",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      for (const [type, told] of [
        ["image/png; a=b, text/html", "image/png"],
        ["image/png, text/html", "application/octet-stream"],
        ['video/mp4; codecs="avc1, mp4a"', "video/mp4"],
        ["text/plain; charset=utf-8", "text/plain; charset=utf-8"],
      ]) {
        const at = `${alice.serverName}/${await upload(alice, type, "several")}`;
        const got = await bytesOf(alice, "GET", `/client/v1/media/download/${at}`);
        equal(got.headers.get("content-type"), told, type);
      }
    },
  },
  {
    name: "a file is created first and uploaded later, once, by its maker",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const bob = await server.register(fresh("bob"));
      const made = await alice.must("POST", "/_matrix/media/v1/create", { body: {} });
      ok(made.unused_expires_at > Date.now(), "for a time");
      const at = made.content_uri.slice("mxc://".length);
      const early = await bytesOf(bob, "GET", `/client/v1/media/download/${at}`);
      equal([early.status, early.body.errcode], [504, "M_NOT_YET_UPLOADED"], "no bytes yet");
      const given = { body: BYTES, type: "image/gif" };
      const stolen = await bytesOf(bob, "PUT", `/media/v3/upload/${at}`, given);
      equal([stolen.status, stolen.body.errcode], [403, "M_FORBIDDEN"], "not by another");
      equal((await bytesOf(alice, "PUT", `/media/v3/upload/${at}`, given)).status, 200, "done");
      const twice = await bytesOf(alice, "PUT", `/media/v3/upload/${at}`, given);
      equal([twice.status, twice.body.errcode], [409, "M_CANNOT_OVERWRITE_MEDIA"], "once");
      const got = await bytesOf(bob, "GET", `/client/v1/media/download/${at}`);
      equal([got.status, [...got.content]], [200, [...BYTES]], "there it is");
    },
  },
  {
    name: "what is not there, or makes no sense, is refused",
    async run({ server }) {
      const alice = await server.register(fresh("alice"));
      const base = `/_matrix/client/v1/media`;
      for (const at of [`${alice.serverName}/nothing`, `${alice.serverName}/..%2Fx`]) {
        refused(await alice.call("GET", `${base}/download/${at}`), 404, "M_NOT_FOUND", at);
      }
      const far = await alice.call("GET", `${base}/download/nowhere.example/abc`);
      refused(far, 502, "M_UNKNOWN", "a server that cannot be reached");
      const at = `${alice.serverName}/${await upload(alice, "image/png")}`;
      for (const query of ["", "?width=0&height=1", "?width=9&height=9&method=stretch"]) {
        const answer = await alice.call("GET", `${base}/thumbnail/${at}${query}`);
        refused(answer, 400, "M_INVALID_PARAM", query);
      }
    },
  },
];
