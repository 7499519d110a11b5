-- What is known of an index that several machines share (archive/shared_index.py): its generations and its statistics.
CREATE TABLE shared_generation (
    number   INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL
) STRICT;

-- One row an update: what went out with the articles that it changed, and, once they are in, what came in.
CREATE TABLE shared_statistics (
    collection TEXT    NOT NULL,
    after_seq  INTEGER NOT NULL, -- the changes after this one, up to `until_seq`
    until_seq  INTEGER NOT NULL,
    gone       BLOB    NOT NULL,
    come       BLOB,             -- NULL: the update was stopped
    PRIMARY KEY (collection, after_seq)
) STRICT;
