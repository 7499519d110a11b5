-- The archive: articles and every version of them, the change log, and what an index is built from.
-- Times are ISO 8601 in UTC. Lists are JSON. Hashes are SHA-256.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row an article: which version is shown, and whether it may be. published_at repeats the shown version's, to sort by.
CREATE TABLE article (
    article_id   TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('live', 'embargoed', 'removed')),
    published_at TEXT,
    FOREIGN KEY (article_id, version) REFERENCES version (article_id, version) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX article_newest ON article (status, published_at, article_id);

CREATE TABLE version (
    article_id    TEXT NOT NULL,
    version       INTEGER NOT NULL CHECK (version >= 1),
    url           TEXT,
    source        TEXT,
    section       TEXT,
    title         TEXT NOT NULL,
    authors       TEXT NOT NULL,
    language      TEXT,
    published_at  TEXT,
    updated_at    TEXT,
    derived_title INTEGER NOT NULL CHECK (derived_title IN (0, 1)),
    ingested_at   TEXT NOT NULL,
    sha256        BLOB NOT NULL CHECK (length(sha256) = 32),
    body          TEXT NOT NULL, -- last: SQLite walks a long text's pages to reach what stands behind it
    PRIMARY KEY (article_id, version)
) STRICT;

CREATE TABLE change (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('added', 'updated', 'removed')),
    reason     TEXT,
    at         TEXT NOT NULL
) STRICT;

-- How an article was cut depends on the model's tokens and limits; `chunking` names them.
CREATE TABLE passage (
    passage_id INTEGER PRIMARY KEY,
    article_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    chunking   TEXT NOT NULL,
    ordinal    INTEGER NOT NULL,
    start      INTEGER NOT NULL,
    "end"      INTEGER NOT NULL CHECK ("end" > start),
    text_hash  BLOB NOT NULL CHECK (length(text_hash) = 32),
    UNIQUE (article_id, version, chunking, ordinal),
    FOREIGN KEY (article_id, version) REFERENCES version (article_id, version)
) STRICT;
CREATE INDEX passage_text ON passage (text_hash);

CREATE TABLE model (
    model_id INTEGER PRIMARY KEY,
    sha256   TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL
) STRICT;

-- vector: float32, little-endian, norm 1; checksum: the first 8 bytes of its SHA-256.
CREATE TABLE embedding (
    embedding_id INTEGER PRIMARY KEY,
    model_id     INTEGER NOT NULL REFERENCES model (model_id),
    text_hash    BLOB NOT NULL CHECK (length(text_hash) = 32),
    vector       BLOB NOT NULL,
    checksum     BLOB NOT NULL CHECK (length(checksum) = 8),
    UNIQUE (model_id, text_hash)
) STRICT;

CREATE TABLE generation (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    seq             INTEGER NOT NULL,
    manifest_sha256 BLOB NOT NULL CHECK (length(manifest_sha256) = 32),
    published_at    TEXT NOT NULL
) STRICT;

-- The one row that says which generation is served. Publishing is an UPDATE of it.
CREATE TABLE pointer (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    generation INTEGER REFERENCES generation (number),
    previous   INTEGER REFERENCES generation (number)
) STRICT;
INSERT INTO pointer (only) VALUES (1);
