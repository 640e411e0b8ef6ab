-- Devices of users of other servers are kept: their keys beside those of ours, in device_keys and
-- cross_keys, and here how far they are to be believed (engine/remote_keys.c).

-- stale: to be asked for anew. stream_id: of the last change they have in them, 0: unknown. What
-- makes a list stale again gives it a new id, so that an answer on its way is known to be too old.
CREATE TABLE remote_lists(id INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL UNIQUE,
 server INTEGER NOT NULL, is_stale INTEGER NOT NULL DEFAULT 1, stream_id INTEGER NOT NULL DEFAULT 0,
 failures INTEGER NOT NULL DEFAULT 0);
CREATE INDEX remote_lists_stale ON remote_lists(server, failures, id) WHERE is_stale = 1;
CREATE TRIGGER remote_list_gone AFTER DELETE ON remote_lists
 BEGIN DELETE FROM device_keys WHERE user = old.user;
 DELETE FROM cross_keys WHERE user = old.user; END;
-- as its server tells it; of ours it stands in devices
ALTER TABLE device_keys ADD COLUMN display_name TEXT;

-- of the last m.device_list_update of a user of ours; position also counts what is told by other
-- EDUs or to clients alone
ALTER TABLE device_changes ADD COLUMN stream_id INTEGER NOT NULL DEFAULT 0;
UPDATE device_changes SET stream_id = position;
