-- The queue of a server is one tree, in its order; its rows are counted from 1 in each queue.

ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox(server INTEGER NOT NULL, id INTEGER NOT NULL, event INTEGER NOT NULL,
 json TEXT, edu_key TEXT, PRIMARY KEY(server, id)) WITHOUT ROWID;
INSERT INTO outbox SELECT server, id, event, json, edu_key FROM outbox_before ORDER BY server, id;
DROP TABLE outbox_before;
