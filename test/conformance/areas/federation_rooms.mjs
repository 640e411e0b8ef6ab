/** What other servers ask about people and rooms besides: invites, spaces, policies, proofs, files. */
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";

import { canonical } from "../../../harness/services/member.mjs";
import { fresh } from "../../client/matrix.mjs";
import { authOf, inviteOf, message } from "./federation.mjs";

/** @param {Buffer} bytes */
const unpadded = (bytes) => bytes.toString("base64").replace(/=+$/, "");

/** Says whose an address is, as an identity server does. */
class IdentityServer {
  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.secret = privateKey;
    this.publicKey = unpadded(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  }

  /** The invite that a room keeps for an address. */
  get kept() {
    const url = "https://id.example.org/_matrix/identity/v2/pubkey/isvalid";
    return { display_name: "a…@e…", public_key: this.publicKey, key_validity_url: url };
  }

  /** @param {string} mxid @param {string} token */
  proof(mxid, token) {
    const signature = unpadded(sign(null, Buffer.from(canonical({ mxid, token })), this.secret));
    return { mxid, token, signatures: { "id.example.org": { "ed25519:0": signature } } };
  }
}

/** @type {import("../areas.mjs").Case[]} */
export const federationRooms = [
  {
    name: "a user is invited into a room of version 1",
    async run({ stage, resident }) {
      const guest = await stage.user("guest");
      const roomId = `!${fresh("room")}:${resident.name}`;
      const invite = inviteOf(resident, roomId, guest.userId, "1");
      const eventId = invite.event.event_id;
      const [status, { event }] = await resident.ok(
        "sendInviteV1",
        { roomId, eventId },
        invite.event,
      );
      assert.equal(status, 200);
      assert.ok(event.signatures[resident.server]);
      const seen = await guest.ok("sync", { timeout: 0 });
      assert.ok(seen.rooms.invite[roomId]);
      const forged = { ...invite.event, signatures: { [resident.name]: {} } };
      await resident.fails(403, "M_FORBIDDEN", "sendInviteV1", { roomId, eventId }, forged);
    },
  },
  {
    name: "an invite of an address becomes one of the user whose it is",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const [guest, other] = [await stage.user("guest"), await stage.user("guest")];
      const roomId = await host.room({ preset: "private_chat" });
      const identity = new IdentityServer();
      for (const stateKey of ["token1", "token2"]) {
        const given = { roomId, eventType: "m.room.third_party_invite", stateKey };
        await host.ok("setRoomStateWithKey", given, identity.kept);
      }
      const signed = identity.proof(guest.userId, "token1");
      const exchanged = {
        type: "m.room.member",
        room_id: roomId,
        sender: host.userId,
        state_key: guest.userId,
        content: {
          membership: "invite",
          third_party_invite: { display_name: "a…@e…", signed },
        },
      };
      const forged = structuredClone(exchanged);
      forged.content.third_party_invite.signed = new IdentityServer().proof(guest.userId, "token1");
      await resident.fails(403, "M_FORBIDDEN", "exchangeThirdPartyInvite", { roomId }, forged);
      await resident.ok("exchangeThirdPartyInvite", { roomId }, exchanged);
      assert.ok((await guest.ok("sync", { timeout: 0 })).rooms.invite[roomId]);

      const address = { medium: "email", address: "other@example.org", mxid: other.userId };
      const proof = identity.proof(other.userId, "token2");
      const invites = [{ ...address, room_id: roomId, sender: host.userId, signed: proof }];
      await resident.ok("onBindThirdPartyIdentifier", {}, { ...address, invites });
      assert.ok((await other.ok("sync", { timeout: 0 })).rooms.invite[roomId]);
      const nobody = { ...address, mxid: `@${fresh("nobody")}:${resident.server}`, invites: [] };
      await resident.fails(404, "M_NOT_FOUND", "onBindThirdPartyIdentifier", {}, nobody);
    },
  },
  {
    name: "a user proves to anyone who he is",
    async run({ stage, resident }) {
      const user = await stage.user("prover");
      const { access_token } = await user.ok("requestOpenIdToken");
      const { sub } = await resident.ok("exchangeOpenIdToken", { access_token });
      assert.equal(sub, user.userId);
      const wrong = { access_token: "nothing" };
      await resident.fails(401, "M_UNKNOWN_TOKEN", "exchangeOpenIdToken", wrong);
      await resident.fails(404, "M_NOT_FOUND", "queryInfo", { queryType: "weather" });
    },
  },
  {
    name: "a space shows a server the rooms that it may know of",
    async run({ stage, resident }) {
      const host = await stage.user("host");
      const open = await host.room();
      const closed = await host.room({ preset: "private_chat" });
      const roomId = await host.room({
        preset: "public_chat",
        creation_content: { type: "m.space" },
      });
      for (const stateKey of [open, closed]) {
        const given = { roomId, eventType: "m.space.child", stateKey };
        await host.ok("setRoomStateWithKey", given, { via: [resident.server] });
      }
      const seen = await resident.ok("getSpaceHierarchy", { roomId });
      assert.equal(seen.room.children_state.length, 2);
      assert.deepEqual(
        seen.children.map((/** @type {any} */ child) => child.room_id),
        [open],
      );
      assert.deepEqual(seen.inaccessible_children, [closed]);
      const suggested = await resident.ok("getSpaceHierarchy", { roomId, suggested_only: true });
      assert.equal(suggested.room.children_state.length, 0);
      await resident.isSigned("getSpaceHierarchy", { roomId });
      await resident.fails(404, "M_NOT_FOUND", "getSpaceHierarchy", { roomId: closed });
    },
  },
  {
    name: "the policy server of a room signs what its rules allow",
    async run({ stage, anyone, resident }) {
      const host = await stage.user("host");
      const roomId = await host.room();
      const { userId, id, event } = await resident.join(roomId);
      const auth = await authOf(resident, roomId, id, id);
      const place = { roomId, sender: userId, after: id, depth: event.depth + 1, auth };
      const said = message(resident, place, "may I?").event;
      await resident.fails(404, "M_NOT_FOUND", "askPolicyServerToSign", {}, said);
      const { public_keys } = await anyone.ok("getWellknownPolicy");
      const policy = { roomId, eventType: "m.room.policy", stateKey: "" };
      await host.ok("setRoomStateWithKey", policy, { via: resident.server, public_keys });
      const answer = await resident.ok("askPolicyServerToSign", {}, said);
      assert.ok(answer[resident.server]["ed25519:policy_server"]);
      const stranger = { ...place, sender: `@stranger:${resident.name}` };
      const refused = message(resident, stranger, "and I?").event;
      await resident.fails(400, "M_FORBIDDEN", "askPolicyServerToSign", {}, refused);
    },
  },
  {
    name: "a file is given to servers, when it is there",
    async run({ stage, resident }) {
      const user = await stage.user("uploader");
      const created = await user.ok("createContent");
      const mediaId = created.content_uri.slice(created.content_uri.lastIndexOf("/") + 1);
      const thumbnail = { mediaId, width: 32, height: 32 };
      await resident.fails(504, "M_NOT_YET_UPLOADED", "getContent", { mediaId, timeout_ms: 0 });
      const early = { ...thumbnail, timeout_ms: 0 };
      await resident.fails(504, "M_NOT_YET_UPLOADED", "getContentThumbnail", early);
      await user.ok("uploadContentToMXC", { serverName: resident.server, mediaId }, "some text");
      const answer = await resident.ok("getContent", { mediaId });
      assert.ok(answer.includes("some text"));
      await resident.ok("getContentThumbnail", thumbnail);
      await resident.isSigned("getContent", { mediaId });
    },
  },
];
