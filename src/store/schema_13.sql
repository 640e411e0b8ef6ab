-- Answers kept for repeated requests are known in the order they were given, whatever the clock said.

DROP INDEX request_ids_by_age;
ALTER TABLE request_ids RENAME TO request_ids_before;
CREATE TABLE request_ids(id INTEGER PRIMARY KEY, session BLOB NOT NULL, request_id TEXT NOT NULL,
 asked BLOB NOT NULL, status INTEGER NOT NULL, head TEXT NOT NULL, answer BLOB NOT NULL,
 UNIQUE(session, request_id));
INSERT INTO request_ids(session, request_id, asked, status, head, answer)
 SELECT session, request_id, asked, status, head, answer FROM request_ids_before ORDER BY made_ms;
DROP TABLE request_ids_before;
CREATE INDEX request_ids_by_session ON request_ids(session, id);
