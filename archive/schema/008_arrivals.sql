-- What sources say about their versions, what may not be shown yet, and the other ids an article is known by.

-- embargoed_until: NULL of a version that may be shown; the year 9999 where it is withheld until further notice.
ALTER TABLE version ADD COLUMN embargoed_until TEXT;
ALTER TABLE version ADD COLUMN source_version INTEGER;
ALTER TABLE version ADD COLUMN note TEXT;
CREATE INDEX version_embargo ON version (embargoed_until) WHERE embargoed_until IS NOT NULL;

CREATE TABLE alias (
    alias      TEXT PRIMARY KEY,
    article_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_article ON alias (article_id);

ALTER TABLE change RENAME TO change_1;
CREATE TABLE change (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id TEXT NOT NULL,
    version    INTEGER NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('added', 'updated', 'held', 'removed')),
    reason     TEXT,
    at         TEXT NOT NULL
) STRICT;
INSERT INTO change SELECT seq, article_id, version, kind, reason, at FROM change_1 ORDER BY seq;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'change_1') WHERE name = 'change'
    AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'change_1');
DROP TABLE change_1;

-- What was embargoed before there was a time to it.
UPDATE version SET embargoed_until = '9999-12-31T00:00:00+00:00'
    WHERE article_id IN (SELECT article_id FROM article WHERE status = 'embargoed');
