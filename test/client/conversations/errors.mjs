/** What is wrong with a request is said in the specification's form. */
import { equal, ok, refused } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/** @type {import("./index.mjs").Conversation[]} */
export const errors = [
  {
    name: "a body that is no JSON is M_NOT_JSON",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      for (const raw of ['{"a":', "hello", '{"a":1}x', '{"a":"\\ud800"']) {
        const answer = await user.call("POST", "/createRoom", { raw });
        refused(answer, 400, "M_NOT_JSON", JSON.stringify(raw));
      }
    },
  },
  {
    name: "JSON of the wrong shape is M_BAD_JSON",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      for (const raw of ["[]", '"text"', '{"name":5}', '{"invite":"x"}']) {
        const answer = await user.call("POST", "/createRoom", { raw });
        refused(answer, 400, "M_BAD_JSON", raw);
      }
    },
  },
  {
    name: "a missing or unknown token is told apart",
    async run({ server }) {
      refused(await server.call("GET", "/account/whoami"), 401, "M_MISSING_TOKEN", "none");
      const unknown = await server.call("GET", "/account/whoami", { token: "not-a-token" });
      refused(unknown, 401, "M_UNKNOWN_TOKEN", "unknown");
      const send = await server.call("PUT", `/rooms/${enc("!x:y")}/send/a/b`, { body: {} });
      refused(send, 401, "M_MISSING_TOKEN", "also before anything is looked at");
    },
  },
  {
    name: "unknown paths and wrong methods are M_UNRECOGNIZED",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      refused(await user.call("GET", "/no/such/path"), 404, "M_UNRECOGNIZED", "a path");
      refused(await user.call("GET", "/_matrix/none"), 404, "M_UNRECOGNIZED", "a prefix");
      const wrong = await user.call("DELETE", "/account/whoami");
      refused(wrong, 405, "M_UNRECOGNIZED", "a method");
    },
  },
  {
    name: "a body that is too long is M_TOO_LARGE",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      const raw = JSON.stringify({ name: "x".repeat(2 * 1024 * 1024) });
      refused(await user.call("POST", "/createRoom", { raw }), 413, "M_TOO_LARGE", "two megabytes");
    },
  },
  {
    name: "an event that is too long is M_TOO_LARGE",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      const room = await user.createRoom();
      const path = `/rooms/${enc(room)}/send/m.room.message/big`;
      const answer = await user.call("PUT", path, {
        body: { msgtype: "m.text", body: "x".repeat(70_000) },
      });
      refused(answer, 413, "M_TOO_LARGE", "an event of 70 kB");
    },
  },
  {
    name: "numbers that canonical JSON has no form for are refused",
    async run({ server }) {
      const user = await server.register(fresh("err"));
      const room = await user.createRoom();
      for (const number of ["1.5", "1e3", "9007199254740993"]) {
        const path = `/rooms/${enc(room)}/send/m.room.message/${fresh("n")}`;
        const raw = `{"msgtype":"m.text","body":"x","n":${number}}`;
        refused(await user.call("PUT", path, { raw }), 400, "M_BAD_JSON", number);
      }
    },
  },
  {
    name: "any page may ask, and preflights are answered",
    async run({ server }) {
      const answer = await server.call("OPTIONS", "/createRoom");
      ok(answer.status === 200 || answer.status === 204, `status ${answer.status}`);
      equal(answer.headers.get("access-control-allow-origin"), "*", "origin");
      const headers = (answer.headers.get("access-control-allow-headers") ?? "").toLowerCase();
      ok(headers.includes("authorization"), "the token's header may be sent");
    },
  },
];
