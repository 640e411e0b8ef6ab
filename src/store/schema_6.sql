-- Rooms in which a server that could not be reached for long has missed events: when it is back it
-- gets the ends of each room's graph, and asks for the rest itself.
CREATE TABLE behind(server INTEGER NOT NULL, room INTEGER NOT NULL, PRIMARY KEY(server, room))
 WITHOUT ROWID;
