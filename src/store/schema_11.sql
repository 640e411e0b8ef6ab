-- Transactions of other servers are known in the order they came, whatever the clock said.

DROP INDEX inbound_by_age;
ALTER TABLE inbound RENAME TO inbound_before;
CREATE TABLE inbound(id INTEGER PRIMARY KEY, server INTEGER NOT NULL, txn_id TEXT NOT NULL,
 answer TEXT NOT NULL, UNIQUE(server, txn_id));
INSERT INTO inbound(server, txn_id, answer)
 SELECT server, txn_id, answer FROM inbound_before ORDER BY made_ms;
DROP TABLE inbound_before;
CREATE INDEX inbound_by_server ON inbound(server, id);
