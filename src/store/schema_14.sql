-- How often a list of devices became stale: an answer that was asked for before it did so once more
-- may be too old. (Its number used to change instead, which pushed other lists out.)

ALTER TABLE remote_lists ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;
