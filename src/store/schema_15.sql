-- A message writes to fewer trees: who follows an event is found by that event alone, and the index
-- of a room's timeline serves whatever else is asked of a room.

ALTER TABLE edges RENAME TO edges_before;
CREATE TABLE edges(prev TEXT NOT NULL, event INTEGER NOT NULL, PRIMARY KEY(prev, event))
 WITHOUT ROWID;
INSERT INTO edges SELECT prev, event FROM edges_before ORDER BY prev, event;
DROP TABLE edges_before;

DROP INDEX events_by_depth;
DROP INDEX events_by_room;
CREATE INDEX events_by_room ON events(room, position);
