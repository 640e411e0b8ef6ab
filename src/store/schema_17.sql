-- An event of ours knows the transaction id it was sent under, so that no tree leads there from it.
-- txn_device, txn_id NULL: it was sent under none.

DROP INDEX transactions_by_event;
ALTER TABLE events ADD COLUMN txn_device TEXT;
ALTER TABLE events ADD COLUMN txn_id TEXT;
UPDATE events SET txn_device = t.device_id, txn_id = t.txn_id
 FROM transactions t WHERE events.event_id = t.event_id;
