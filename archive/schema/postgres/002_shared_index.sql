-- What is known of an index that several machines share (archive/shared_index.py): its generations and its statistics.
CREATE TABLE shared_generation (
    number   BIGINT PRIMARY KEY,
    manifest words NOT NULL
);

-- One row an update: what went out with the articles that it changed, and, once they are in, what came in.
CREATE TABLE shared_statistics (
    collection words  NOT NULL,
    after_seq  BIGINT NOT NULL, -- the changes after this one, up to `until_seq`
    until_seq  BIGINT NOT NULL,
    gone       BYTEA  NOT NULL,
    come       BYTEA,           -- NULL: the update was stopped
    PRIMARY KEY (collection, after_seq)
);
