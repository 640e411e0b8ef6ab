-- Keys that users keep on the server: backups of room keys and cross-signing keys. Tokens that end,
-- media, pushers.

CREATE TABLE backup_versions(user INTEGER NOT NULL, version INTEGER NOT NULL,
 algorithm TEXT NOT NULL, auth_data TEXT NOT NULL, etag INTEGER NOT NULL DEFAULT 0,
 is_deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(user, version)) WITHOUT ROWID;
CREATE TABLE backup_keys(user INTEGER NOT NULL, version INTEGER NOT NULL, room_id TEXT NOT NULL,
 session_id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(user, version, room_id, session_id))
 WITHOUT ROWID;
-- usage: master, self_signing, user_signing
CREATE TABLE cross_keys(user INTEGER NOT NULL, usage TEXT NOT NULL, key TEXT NOT NULL,
 json TEXT NOT NULL, PRIMARY KEY(user, usage)) WITHOUT ROWID;
-- what signer says of a key of user: a device id or a master key; {"<key id>": "<signature>"}
CREATE TABLE key_signatures(user INTEGER NOT NULL, key TEXT NOT NULL, signer INTEGER NOT NULL,
 json TEXT NOT NULL, PRIMARY KEY(user, key, signer)) WITHOUT ROWID;

-- NULL: never
ALTER TABLE tokens ADD COLUMN expires_ms INTEGER;
-- kind: refresh, login, openid
CREATE TABLE special_tokens(hash BLOB PRIMARY KEY, kind TEXT NOT NULL, user INTEGER NOT NULL,
 device_id TEXT NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX special_tokens_by_age ON special_tokens(expires_ms);
CREATE INDEX special_tokens_by_device ON special_tokens(user, device_id);

-- hash NULL: created, its bytes are still to come
CREATE TABLE media(media_id TEXT PRIMARY KEY, user INTEGER NOT NULL, content_type TEXT NOT NULL,
 name TEXT, hash BLOB, size INTEGER NOT NULL, made_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX media_by_user ON media(user, made_ms, size);
CREATE INDEX media_by_hash ON media(hash);
-- the same bytes are kept once
CREATE TABLE blobs(hash BLOB PRIMARY KEY, bytes BLOB NOT NULL);

CREATE TABLE pushers(user INTEGER NOT NULL, app_id TEXT NOT NULL, pushkey TEXT NOT NULL,
 device_id TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(user, app_id, pushkey)) WITHOUT ROWID;
CREATE INDEX pushers_by_key ON pushers(app_id, pushkey);
