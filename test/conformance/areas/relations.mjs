/** Events that relate to others, and rooms that belong together. */
import assert from "node:assert/strict";

/** @type {import("../areas.mjs").Case[]} */
export const relations = [
  {
    name: "what relates to an event is listed by kind and type, or the event is not there",
    async run({ stage }) {
      const user = await stage.user("relater");
      const roomId = await user.room();
      const eventId = await user.say(roomId, "what do you think?");
      const relatesTo = { rel_type: "m.annotation", event_id: eventId, key: "👍" };
      const reaction = { roomId, eventType: "m.reaction" };
      await user.ok("sendMessage", reaction, { "m.relates_to": relatesTo });
      const kinds = [
        ["getRelatingEvents", {}],
        ["getRelatingEventsWithRelType", { relType: "m.annotation" }],
        [
          "getRelatingEventsWithRelTypeAndEventType",
          { relType: "m.annotation", eventType: "m.reaction" },
        ],
      ];
      for (const [id, kind] of /** @type {[string, any][]} */ (kinds)) {
        const page = await user.ok(id, { roomId, eventId, ...kind, dir: "b", limit: 5 });
        assert.deepEqual(
          page.chunk.map((/** @type {any} */ event) => event.type),
          ["m.reaction"],
        );
        await user.fails(404, "M_NOT_FOUND", id, { roomId, eventId: "$none", ...kind });
      }
    },
  },
];
