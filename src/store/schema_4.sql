-- The current state of a room as it was at each position of the stream. The state after the event
-- that came last is not it: other branches of the room may stand beside that event.

CREATE TABLE room_states(room INTEGER NOT NULL, position INTEGER NOT NULL,
 snapshot INTEGER NOT NULL, PRIMARY KEY(room, position)) WITHOUT ROWID;
INSERT INTO room_states SELECT id, last_position, snapshot FROM rooms WHERE snapshot > 0;
