-- What users say of themselves besides name and picture. json: {"value": ...}

CREATE TABLE profile_fields(user INTEGER NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
 PRIMARY KEY(user, name)) WITHOUT ROWID;
