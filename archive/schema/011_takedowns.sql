-- Takedowns, and who may ask for one by a program. Times are ISO 8601 in UTC.

-- What was removed for good. The ledger (archive/ledger.py) says the same outside of this database.
-- erasing_at: since when its text is being erased; receipt: JSON, what was searched when that was done.
CREATE TABLE takedown (
    article_id TEXT PRIMARY KEY,
    removed_at TEXT NOT NULL,
    reason     TEXT,
    erasing_at TEXT,
    erased_at  TEXT,
    receipt    TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO takedown (article_id, removed_at, reason)
    SELECT a.article_id, coalesce(max(c.at), strftime('%Y-%m-%dT%H:%M:%S+00:00')), c.reason
    FROM article a LEFT JOIN change c ON c.article_id = a.article_id AND c.kind = 'removed'
    WHERE a.status = 'removed' GROUP BY a.article_id;

-- token_hash: SHA-256; the token itself is not kept, and is too long to be found by trying.
CREATE TABLE token (
    token_id   INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    name       TEXT NOT NULL,
    scope      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    used_on    TEXT, -- the day, and no more
    revoked_at TEXT
) STRICT;

-- Requests without a valid token, by client, until they are forgiven.
CREATE TABLE token_failure (
    client   TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since    INTEGER NOT NULL -- seconds since 1970
) STRICT, WITHOUT ROWID;

-- What was done by token: who, what, when. Nothing here is ever changed.
CREATE TABLE audit (
    audit_id   INTEGER PRIMARY KEY,
    at         TEXT NOT NULL,
    token_id   INTEGER NOT NULL REFERENCES token (token_id),
    action     TEXT NOT NULL,
    article_id TEXT NOT NULL
) STRICT;
