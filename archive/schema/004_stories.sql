-- Stories: which articles tell of one event, as they were last told. An article alone is in no story.
-- A story's number is never given twice: every number there was begins in story_log.

CREATE TABLE story_article (
    article_id TEXT PRIMARY KEY REFERENCES article (article_id),
    story_id   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX story_articles ON story_article (story_id);

-- What happened to a story, step by step. at: seconds since 1970, for there is a row or two for every story there was.
CREATE TABLE story_log (
    story_id INTEGER NOT NULL,
    step     INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('founded', 'split', 'merged', 'ended')),
    other_id INTEGER, -- the story it was split off from, or merged into
    articles INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (story_id, step)
) STRICT, WITHOUT ROWID;

-- The one row that says up to which change stories have been told, by which model, and how often they were written.
CREATE TABLE telling (
    only         INTEGER PRIMARY KEY CHECK (only = 1),
    seq          INTEGER NOT NULL,
    model_sha256 TEXT,
    times        INTEGER NOT NULL
) STRICT;
INSERT INTO telling VALUES (1, 0, NULL, 0);
