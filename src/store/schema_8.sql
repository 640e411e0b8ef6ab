-- Signing keys of other servers. until_ms: they vouch for it until then; old: of former days, good
-- for what was signed before until_ms. document: what they said, with their signature.
CREATE TABLE server_keys (
 server INTEGER NOT NULL REFERENCES names(id),
 key_id TEXT NOT NULL,
 key BLOB NOT NULL,
 until_ms INTEGER NOT NULL,
 old INTEGER NOT NULL,
 document TEXT NOT NULL,
 PRIMARY KEY (server, key_id)
) WITHOUT ROWID;
