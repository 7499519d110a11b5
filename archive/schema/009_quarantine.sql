-- Inputs that could not be read, kept until they can be. digest: the SHA-256 of the input, or where it is too large to be
-- kept, of what names it. kept: bytes that this row is counted as. packed: by zlib; NULL where only the name is kept.
CREATE TABLE quarantine (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    digest   BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    source   TEXT NOT NULL,
    line     INTEGER,
    reason   TEXT NOT NULL,
    size     INTEGER NOT NULL,
    kept     INTEGER NOT NULL,
    first_at TEXT NOT NULL,
    last_at  TEXT NOT NULL,
    times    INTEGER NOT NULL DEFAULT 1,
    packed   BLOB
) STRICT;
