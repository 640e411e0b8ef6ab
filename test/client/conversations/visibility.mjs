/** Who reads what was said, by the room's setting and by what the reader was at the time. */
import { equal, ok } from "../check.mjs";
import { enc, fresh } from "../matrix.mjs";

/** What each reader sees of what was said before, after his invite, and after he came. */
const SEEN = {
  world_readable: {
    joined: ["before", "invited", "joined"],
    left: ["before", "invited", "joined", "after"],
    invited: ["before", "invited", "joined", "after"],
    never: ["before", "invited", "joined", "after"],
  },
  shared: {
    joined: ["before", "invited", "joined"],
    left: ["before", "invited", "joined"],
    invited: null,
    never: null,
  },
  invited: {
    joined: ["invited", "joined"],
    left: ["invited", "joined"],
    invited: null,
    never: null,
  },
  joined: { joined: ["joined"], left: ["joined"], invited: null, never: null },
};

/**
 * @param {import("../matrix.mjs").User} user
 * @param {string} room
 */
async function bodies(user, room) {
  const answer = await user.call("GET", `/rooms/${enc(room)}/messages`, {
    query: { dir: "f", limit: 100 },
  });
  if (answer.status === 403) {
    return null;
  }
  equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.chunk
    .filter((/** @type {any} */ e) => e.type === "m.room.message")
    .map((/** @type {any} */ e) => e.content.body);
}

/** @type {import("./index.mjs").Conversation[]} */
export const visibility = Object.entries(SEEN).map(([setting, seen]) => ({
  name: `history that is ${setting} is read by whom the setting says`,
  async run({ server }) {
    const owner = await server.register(fresh("owner"));
    const room = await owner.createRoom({
      preset: "private_chat",
      initial_state: [
        {
          type: "m.room.history_visibility",
          state_key: "",
          content: { history_visibility: setting },
        },
      ],
    });
    const readers = {
      joined: await server.register(fresh("joined")),
      left: await server.register(fresh("left")),
      invited: await server.register(fresh("invited")),
      never: await server.register(fresh("never")),
    };
    const path = `/rooms/${enc(room)}`;
    await owner.say(room, "before");
    for (const who of [readers.joined, readers.left, readers.invited]) {
      await owner.must("POST", `${path}/invite`, { body: { user_id: who.userId } });
    }
    await owner.say(room, "invited");
    await readers.joined.join(room);
    await readers.left.join(room);
    await owner.say(room, "joined");
    equal(await bodies(readers.joined, room), seen.joined, "who is in the room");
    await readers.left.must("POST", `${path}/leave`, { body: {} });
    const after = await owner.say(room, "after");
    for (const name of /** @type {const} */ (["left", "invited", "never"])) {
      equal(await bodies(readers[name], room), seen[name], name);
      const one = await readers[name].call("GET", `${path}/event/${enc(after)}`);
      ok(one.status === (seen[name]?.includes("after") ? 200 : 404), `${name}: ${one.status}`);
    }
  },
}));
