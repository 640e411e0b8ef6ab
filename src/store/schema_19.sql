-- Who floods a device pushes out his own messages before those of others: an inbox knows how much of it
-- is whose (sender 0: all of it, -1: from before senders were written down). And what an answer told
-- that had no room for everything is known by its token.

ALTER TABLE inbox ADD COLUMN sender INTEGER NOT NULL DEFAULT -1;
CREATE INDEX inbox_by_sender ON inbox(user, device_id, sender, position);
CREATE TABLE inbox_sizes(user INTEGER NOT NULL, device_id TEXT NOT NULL, sender INTEGER NOT NULL,
 bytes INTEGER NOT NULL, PRIMARY KEY(user, device_id, sender)) WITHOUT ROWID;
CREATE INDEX inbox_sizes_by_bytes ON inbox_sizes(user, device_id, bytes);
INSERT INTO inbox_sizes(user, device_id, sender, bytes)
 SELECT i.user, i.device_id, s.sender, sum(length(CAST(i.json AS BLOB)) + 100)
 FROM inbox i, (SELECT 0 AS sender UNION ALL SELECT -1) s GROUP BY i.user, i.device_id, s.sender;
CREATE TRIGGER inbox_came AFTER INSERT ON inbox BEGIN
 INSERT INTO inbox_sizes(user, device_id, sender, bytes)
 VALUES(new.user, new.device_id, 0, length(CAST(new.json AS BLOB)) + 100),
  (new.user, new.device_id, new.sender, length(CAST(new.json AS BLOB)) + 100)
 ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER inbox_went AFTER DELETE ON inbox BEGIN
 UPDATE inbox_sizes SET bytes = bytes - length(CAST(old.json AS BLOB)) - 100
 WHERE user = old.user AND device_id = old.device_id AND sender IN (0, old.sender);
 DELETE FROM inbox_sizes WHERE user = old.user AND device_id = old.device_id
 AND sender IN (0, old.sender) AND bytes <= 0;
END;
CREATE TABLE inbox_told(user INTEGER NOT NULL, device_id TEXT NOT NULL, token INTEGER NOT NULL,
 position INTEGER NOT NULL, PRIMARY KEY(user, device_id, token)) WITHOUT ROWID;
