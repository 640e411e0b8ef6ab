-- The tables of version 1. A landed migration is never edited: a change is a new file and a new
-- row in schema.c.

-- identity seed, epoch, server name, ...
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- 1: newest position, 2: lowest position of fetched history
CREATE TABLE positions(id INTEGER PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
-- accounts
CREATE TABLE accounts(
 user INTEGER PRIMARY KEY REFERENCES names(id),
 password TEXT, created_ms INTEGER NOT NULL, is_admin INTEGER NOT NULL DEFAULT 0,
 is_guest INTEGER NOT NULL DEFAULT 0, deactivated INTEGER NOT NULL DEFAULT 0);
-- of every user we have heard of, local or remote
CREATE TABLE profiles(user INTEGER PRIMARY KEY REFERENCES names(id),
 displayname TEXT, avatar_url TEXT);
CREATE TABLE devices(user INTEGER NOT NULL, device_id TEXT NOT NULL, display_name TEXT,
 last_seen_ms INTEGER, last_seen_ip TEXT, PRIMARY KEY(user, device_id)) WITHOUT ROWID;
CREATE TABLE tokens(hash BLOB PRIMARY KEY, user INTEGER NOT NULL, device_id TEXT NOT NULL)
 WITHOUT ROWID;
CREATE INDEX tokens_by_device ON tokens(user, device_id);
CREATE TABLE filters(id INTEGER PRIMARY KEY, user INTEGER NOT NULL, json TEXT NOT NULL);
CREATE INDEX filters_by_user ON filters(user, json);
CREATE TABLE request_ids(session BLOB NOT NULL, request_id TEXT NOT NULL,
 asked BLOB NOT NULL, status INTEGER NOT NULL, head TEXT NOT NULL, answer BLOB NOT NULL,
 made_ms INTEGER NOT NULL, PRIMARY KEY(session, request_id)) WITHOUT ROWID;
CREATE INDEX request_ids_by_age ON request_ids(made_ms);
CREATE TABLE transactions(user INTEGER NOT NULL, device_id TEXT NOT NULL,
 scope TEXT NOT NULL, txn_id TEXT NOT NULL, event_id TEXT NOT NULL,
 PRIMARY KEY(user, device_id, scope, txn_id)) WITHOUT ROWID;
CREATE INDEX transactions_by_event ON transactions(event_id);
-- rooms and events
CREATE TABLE rooms(id INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE,
 version TEXT NOT NULL,
 snapshot INTEGER NOT NULL DEFAULT 0, -- current state; 0: we are not in the room
 last_position INTEGER NOT NULL DEFAULT 0,
 is_published INTEGER NOT NULL DEFAULT 0);
CREATE INDEX rooms_by_position ON rooms(last_position);
CREATE INDEX rooms_by_published ON rooms(is_published) WHERE is_published = 1;
-- status: 0 accepted, 1 soft-failed, 2 rejected. kind: 0 timeline, 1 outlier.
-- position: place in the timeline, NULL when shown to nobody
CREATE TABLE events(id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE,
 room INTEGER NOT NULL, type INTEGER NOT NULL, state_key INTEGER NOT NULL, sender INTEGER NOT NULL,
 depth INTEGER NOT NULL, origin_server_ts INTEGER NOT NULL, status INTEGER NOT NULL,
 is_outlier INTEGER NOT NULL, position INTEGER, before INTEGER NOT NULL DEFAULT 0,
 after INTEGER NOT NULL DEFAULT 0, redacted_by TEXT, json TEXT NOT NULL);
CREATE INDEX events_by_room ON events(room, position) WHERE position IS NOT NULL;
CREATE INDEX events_by_depth ON events(room, depth);
CREATE TABLE edges(event INTEGER NOT NULL, prev TEXT NOT NULL, PRIMARY KEY(event, prev))
 WITHOUT ROWID;
CREATE INDEX edges_by_prev ON edges(prev);
CREATE TABLE extremities(room INTEGER NOT NULL, event INTEGER NOT NULL,
 PRIMARY KEY(room, event)) WITHOUT ROWID;
-- earliest known events, where history has to be fetched from others
CREATE TABLE gaps(room INTEGER NOT NULL, event INTEGER NOT NULL, position INTEGER NOT NULL,
 PRIMARY KEY(room, event)) WITHOUT ROWID;
CREATE TABLE relations(target TEXT NOT NULL, rel_type TEXT NOT NULL, event INTEGER NOT NULL,
 key TEXT, PRIMARY KEY(target, rel_type, event)) WITHOUT ROWID;
-- state
CREATE TABLE snapshots(id INTEGER PRIMARY KEY, base INTEGER NOT NULL, chain INTEGER NOT NULL);
-- event 0: removed against the base
CREATE TABLE snapshot_entries(snapshot INTEGER NOT NULL, type INTEGER NOT NULL,
 state_key INTEGER NOT NULL, event INTEGER NOT NULL,
 PRIMARY KEY(snapshot, type, state_key)) WITHOUT ROWID;
CREATE TABLE current_state(room INTEGER NOT NULL, type INTEGER NOT NULL,
 state_key INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY(room, type, state_key))
 WITHOUT ROWID;
-- membership of the current state, and invites and knocks to rooms we are not in
CREATE TABLE memberships(user INTEGER NOT NULL, room INTEGER NOT NULL,
 membership TEXT NOT NULL, event INTEGER NOT NULL, position INTEGER NOT NULL,
 is_local INTEGER NOT NULL, server INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0,
 stripped TEXT, PRIMARY KEY(user, room)) WITHOUT ROWID;
CREATE INDEX memberships_by_room ON memberships(room, membership, server);
CREATE TABLE aliases(alias TEXT PRIMARY KEY, room_id TEXT NOT NULL, creator TEXT NOT NULL)
 WITHOUT ROWID;
CREATE INDEX aliases_by_room ON aliases(room_id);
-- told to clients
CREATE TABLE account_data(user INTEGER NOT NULL, room INTEGER NOT NULL, type TEXT NOT NULL,
 json TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(user, room, type)) WITHOUT ROWID;
CREATE INDEX account_data_by_position ON account_data(user, position);
CREATE TABLE receipts(room INTEGER NOT NULL, type TEXT NOT NULL, user INTEGER NOT NULL,
 thread TEXT NOT NULL, event_id TEXT NOT NULL, event_position INTEGER NOT NULL,
 ts INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(room, type, user, thread))
 WITHOUT ROWID;
CREATE INDEX receipts_by_position ON receipts(room, position);
CREATE TABLE presence(user INTEGER PRIMARY KEY, presence TEXT NOT NULL, status_msg TEXT,
 active_ms INTEGER NOT NULL, position INTEGER NOT NULL);
CREATE INDEX presence_by_position ON presence(position);
CREATE TABLE inbox(user INTEGER NOT NULL, device_id TEXT NOT NULL, position INTEGER NOT NULL,
 json TEXT NOT NULL, PRIMARY KEY(user, device_id, position)) WITHOUT ROWID;
-- end-to-end keys
CREATE TABLE device_keys(user INTEGER NOT NULL, device_id TEXT NOT NULL, json TEXT NOT NULL,
 PRIMARY KEY(user, device_id)) WITHOUT ROWID;
CREATE TABLE one_time_keys(user INTEGER NOT NULL, device_id TEXT NOT NULL,
 algorithm TEXT NOT NULL, key_id TEXT NOT NULL, json TEXT NOT NULL,
 PRIMARY KEY(user, device_id, algorithm, key_id)) WITHOUT ROWID;
CREATE TABLE fallback_keys(user INTEGER NOT NULL, device_id TEXT NOT NULL,
 algorithm TEXT NOT NULL, key_id TEXT NOT NULL, json TEXT NOT NULL, used INTEGER NOT NULL,
 PRIMARY KEY(user, device_id, algorithm)) WITHOUT ROWID;
CREATE TABLE device_changes(user INTEGER PRIMARY KEY, position INTEGER NOT NULL);
CREATE INDEX device_changes_by_position ON device_changes(position);
-- other servers
-- what a destination has not acknowledged yet; event 0: an EDU, whose text is json
CREATE TABLE outbox(id INTEGER PRIMARY KEY, server INTEGER NOT NULL, event INTEGER NOT NULL,
 json TEXT, edu_key TEXT);
CREATE INDEX outbox_by_server ON outbox(server, id);
-- the transaction in flight: its rows are the first up to last_id; the id stays on retry
CREATE TABLE destinations(server INTEGER PRIMARY KEY, txn_id TEXT, last_id INTEGER NOT NULL,
 failures INTEGER NOT NULL, retry_ms INTEGER NOT NULL);
CREATE TABLE inbound(server INTEGER NOT NULL, txn_id TEXT NOT NULL, answer TEXT NOT NULL,
 made_ms INTEGER NOT NULL, PRIMARY KEY(server, txn_id)) WITHOUT ROWID;
CREATE INDEX inbound_by_age ON inbound(made_ms);
CREATE TABLE peers(peer_id TEXT PRIMARY KEY, address TEXT NOT NULL, seen_ms INTEGER NOT NULL)
 WITHOUT ROWID;
-- events of others that wait for what they cite (fed/missing.c)
CREATE TABLE waiting(event_id TEXT PRIMARY KEY, room INTEGER NOT NULL, origin TEXT NOT NULL,
 depth INTEGER NOT NULL, stage INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX waiting_by_room ON waiting(room, depth);
