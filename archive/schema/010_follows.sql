-- What is followed on the network, and what was fetched there. Times are seconds since 1970.

CREATE TABLE follow (
    follow_id     INTEGER PRIMARY KEY,
    url           TEXT NOT NULL UNIQUE,
    host          TEXT NOT NULL,
    title         TEXT,
    kind          TEXT CHECK (kind IN ('feed', 'sitemap')), -- NULL until it was read once
    state         TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'gone')),
    every         INTEGER NOT NULL CHECK (every > 0),       -- seconds
    next_at       INTEGER NOT NULL,
    etag          TEXT, -- these three of the last answer of which nothing is left to do
    last_modified TEXT,
    body_hash     BLOB CHECK (length(body_hash) = 32),
    failures      INTEGER NOT NULL DEFAULT 0,               -- in a row
    problem       TEXT, -- why the last attempt failed
    last_at       INTEGER,
    found         INTEGER NOT NULL DEFAULT 0                -- articles it brought, and new versions of them
) STRICT;
CREATE INDEX follow_due ON follow (next_at) WHERE state = 'active';

-- Pages that feeds and sitemaps name and that were asked for, so that each is fetched once, and again only when what
-- they say of it has changed.
CREATE TABLE page (
    url_hash      BLOB PRIMARY KEY CHECK (length(url_hash) = 32), -- SHA-256
    said          BLOB NOT NULL CHECK (length(said) = 32),        -- SHA-256 of what was said of it, when it was asked for
    state         TEXT NOT NULL CHECK (state IN ('done', 'waiting', 'given_up')),
    has_text      INTEGER NOT NULL CHECK (has_text IN (0, 1)),    -- its text has gone in, now or before
    failures      INTEGER NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    at            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What sites answered when they were asked for their robots.txt.
CREATE TABLE robots (
    site   TEXT PRIMARY KEY, -- scheme, host and port
    status INTEGER NOT NULL, -- 599: it could not be asked
    body   BLOB NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Hosts that asked to be left alone.
CREATE TABLE busy_host (
    host  TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
