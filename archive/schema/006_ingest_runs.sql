-- Runs of `flask ingest`: what each did. seconds: NULL of one that is at work, or was interrupted.
-- rejections: the first of them, JSON; the counts are of all.
CREATE TABLE ingest_run (
    run_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at TEXT NOT NULL,
    seconds    REAL,
    added      INTEGER NOT NULL DEFAULT 0,
    updated    INTEGER NOT NULL DEFAULT 0,
    unchanged  INTEGER NOT NULL DEFAULT 0,
    rejected   INTEGER NOT NULL DEFAULT 0,
    rejections TEXT NOT NULL DEFAULT '[]'
) STRICT;
