-- Rooms know how many are joined, so the directory is read in its order; relations know the type of
-- what relates, so one kind of them is read without the others.

ALTER TABLE rooms ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;
UPDATE rooms SET joined =
 (SELECT count(*) FROM memberships WHERE room = rooms.id AND membership = 'join');
CREATE TRIGGER member_new AFTER INSERT ON memberships WHEN new.membership = 'join'
 BEGIN UPDATE rooms SET joined = joined + 1 WHERE id = new.room; END;
CREATE TRIGGER member_changed AFTER UPDATE OF membership ON memberships
 WHEN (new.membership = 'join') <> (old.membership = 'join')
 BEGIN UPDATE rooms SET joined = joined + (new.membership = 'join') - (old.membership = 'join')
 WHERE id = new.room; END;
CREATE TRIGGER member_gone AFTER DELETE ON memberships WHEN old.membership = 'join'
 BEGIN UPDATE rooms SET joined = joined - 1 WHERE id = old.room; END;
CREATE INDEX rooms_published ON rooms(joined, room_id) WHERE is_published = 1;

ALTER TABLE relations ADD COLUMN type INTEGER NOT NULL DEFAULT 0;
UPDATE relations SET type = (SELECT e.type FROM events e WHERE e.id = relations.event);
CREATE INDEX relations_of_type ON relations(room, target, rel_type, type, position);
CREATE INDEX relations_of_rel_type ON relations(room, target, rel_type, position);
