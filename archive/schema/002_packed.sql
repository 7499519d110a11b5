-- Texts, passages and embeddings are packed (archive/packing.py says how); bodies stand apart from what is listed and
-- counted. The functions packed_text, packed_passages and packed_embedding are those of archive/upgrade.py.

CREATE TABLE chunking (
    chunking_id INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE
) STRICT;

DROP INDEX article_newest;
DROP INDEX passage_text;
ALTER TABLE version RENAME TO version_1;
ALTER TABLE article RENAME TO article_1;
ALTER TABLE passage RENAME TO passage_1;
ALTER TABLE embedding RENAME TO embedding_1;

CREATE TABLE version (
    version_id    INTEGER PRIMARY KEY,
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
    sha256        BLOB NOT NULL CHECK (length(sha256) = 32), -- of the content, the unpacked body included
    UNIQUE (article_id, version)
) STRICT;

CREATE TABLE body (
    version_id INTEGER PRIMARY KEY REFERENCES version (version_id),
    packed     BLOB NOT NULL
) STRICT;

-- One row an article: which version is shown, and whether it may be. published_at repeats the shown version's, to sort by.
CREATE TABLE article (
    article_id   TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('live', 'embargoed', 'removed')),
    published_at TEXT,
    FOREIGN KEY (article_id, version) REFERENCES version (article_id, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- How an article was cut depends on the model's tokens and limits: all passages of a version that were cut one way.
CREATE TABLE passages (
    version_id  INTEGER NOT NULL REFERENCES version (version_id),
    chunking_id INTEGER NOT NULL REFERENCES chunking (chunking_id),
    packed      BLOB NOT NULL,
    PRIMARY KEY (version_id, chunking_id)
) STRICT, WITHOUT ROWID;

-- Apart from the hashes, an embedding of 384 dimensions takes 403 bytes: ten to a page.
CREATE TABLE embedding (
    embedding_id INTEGER PRIMARY KEY,
    packed       BLOB NOT NULL
) STRICT;

-- Which text an embedding is of, and by which model. text_hash: the first 16 bytes of the SHA-256.
CREATE TABLE embedded (
    model_id     INTEGER NOT NULL REFERENCES model (model_id),
    text_hash    BLOB NOT NULL CHECK (length(text_hash) = 16),
    embedding_id INTEGER NOT NULL REFERENCES embedding (embedding_id),
    PRIMARY KEY (model_id, text_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO version SELECT rowid, article_id, version, url, source, section, title, authors, language, published_at,
    updated_at, derived_title, ingested_at, sha256 FROM version_1 ORDER BY rowid;
INSERT INTO body SELECT rowid, packed_text(CAST(body AS BLOB)) FROM version_1 ORDER BY rowid;
INSERT INTO article SELECT article_id, version, status, published_at FROM article_1 ORDER BY article_id;
INSERT INTO chunking (name) SELECT DISTINCT chunking FROM passage_1;
INSERT INTO passages
    SELECT v.version_id, c.chunking_id, packed_passages(p.start, p."end", p.text_hash ORDER BY p.ordinal)
    FROM passage_1 p JOIN version v USING (article_id, version) JOIN chunking c ON c.name = p.chunking
    GROUP BY v.version_id, c.chunking_id;
-- A vector that is damaged is not taken over: the next build makes it again.
INSERT INTO embedding SELECT embedding_id, packed
    FROM (SELECT embedding_id, packed_embedding(vector, checksum) AS packed FROM embedding_1)
    WHERE packed IS NOT NULL ORDER BY embedding_id;
INSERT INTO embedded SELECT model_id, substr(text_hash, 1, 16), embedding_id FROM embedding_1
    WHERE embedding_id IN (SELECT embedding_id FROM embedding) ORDER BY model_id, text_hash;

DROP TABLE passage_1;
DROP TABLE article_1;
DROP TABLE version_1;
DROP TABLE embedding_1;

CREATE INDEX article_newest ON article (status, published_at, article_id);
