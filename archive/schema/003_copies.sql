-- Copies: what alike texts are nominated by, and which articles were found to be taken from each other (archive/copies.py).
-- `meta` says up to which change of the log they were looked for.

CREATE TABLE signature (
    version_id INTEGER PRIMARY KEY REFERENCES version (version_id),
    packed     BLOB NOT NULL CHECK (length(packed) = 48)
) STRICT;

-- Only of articles that have copies: which belong together.
CREATE TABLE copy (
    article_id TEXT PRIMARY KEY,
    group_id   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX copy_group ON copy (group_id);

INSERT INTO meta (key, value) VALUES ('copies', '0');
