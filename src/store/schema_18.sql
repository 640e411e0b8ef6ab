-- Transactions of other servers are found among the few that are kept of each.

DROP INDEX inbound_by_server;
ALTER TABLE inbound RENAME TO inbound_before;
CREATE TABLE inbound(id INTEGER PRIMARY KEY, server INTEGER NOT NULL, txn_id TEXT NOT NULL,
 answer TEXT NOT NULL);
INSERT INTO inbound SELECT id, server, txn_id, answer FROM inbound_before ORDER BY id;
DROP TABLE inbound_before;
CREATE INDEX inbound_by_server ON inbound(server, id, txn_id);
