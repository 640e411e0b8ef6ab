-- Relations know their room, place, time and sender; threads are listed by their newest reply;
-- events are found by time; users report what they find.

CREATE TABLE relations_2(target TEXT NOT NULL, rel_type TEXT NOT NULL, event INTEGER NOT NULL,
 key TEXT, room INTEGER NOT NULL, position INTEGER NOT NULL, ts INTEGER NOT NULL,
 sender INTEGER NOT NULL, PRIMARY KEY(target, rel_type, event)) WITHOUT ROWID;
INSERT INTO relations_2 SELECT r.target, r.rel_type, r.event, r.key, e.room,
 coalesce(e.position, 0), e.origin_server_ts, e.sender
 FROM relations r JOIN events e ON e.id = r.event
 WHERE r.rel_type = 'redacts' OR e.redacted_by IS NULL;
DROP TABLE relations;
ALTER TABLE relations_2 RENAME TO relations;
CREATE INDEX relations_by_position ON relations(room, target, position);
CREATE INDEX relations_by_sender ON relations(room, target, rel_type, sender, ts);

-- root: event id. position: of the newest reply
CREATE TABLE threads(room INTEGER NOT NULL, root TEXT NOT NULL, position INTEGER NOT NULL,
 PRIMARY KEY(room, root)) WITHOUT ROWID;
CREATE INDEX threads_by_position ON threads(room, position);
INSERT INTO threads SELECT room, target, max(position) FROM relations
 WHERE rel_type = 'm.thread' GROUP BY room, target;

CREATE INDEX events_by_time ON events(room, origin_server_ts) WHERE position IS NOT NULL;

-- target: a room id, an event id or a user id
CREATE TABLE reports(id INTEGER PRIMARY KEY, made_ms INTEGER NOT NULL, user INTEGER NOT NULL,
 room_id TEXT, target TEXT NOT NULL, score INTEGER, reason TEXT);
CREATE INDEX reports_by_user ON reports(user, made_ms);
