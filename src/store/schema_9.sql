-- User-interactive authentication under way. user 0: nobody yet. operation: method and path of the
-- first request; params, password: what that one said and later ones need not repeat (a hash);
-- made: the account that came of it.
CREATE TABLE auth_sessions(session TEXT PRIMARY KEY, user INTEGER NOT NULL,
 operation TEXT NOT NULL, params TEXT NOT NULL, password TEXT, completed INTEGER NOT NULL DEFAULT 0,
 made INTEGER NOT NULL DEFAULT 0, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX auth_sessions_by_age ON auth_sessions(expires_ms);
-- Who has one may register. uses_max, expires_ms NULL: no bound.
CREATE TABLE registration_tokens(token TEXT PRIMARY KEY, uses INTEGER NOT NULL DEFAULT 0,
 uses_max INTEGER, expires_ms INTEGER) WITHOUT ROWID;
