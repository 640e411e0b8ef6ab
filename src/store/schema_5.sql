-- The full-text index of messages, names and topics: rowid is the event's row. Nothing but the
-- words is kept. room: "r<row of the room>"; field: body, name or topic. Filled behind the senders;
-- positions 3 says how far.
CREATE VIRTUAL TABLE search USING fts5(room, field, body, content='', contentless_delete=1,
 tokenize='porter unicode61 remove_diacritics 2');
