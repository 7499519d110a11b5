-- Saved searches, what they found since, and what is to be sent of it. Times are seconds since 1970.

CREATE TABLE saved_search (
    saved_search_id INTEGER PRIMARY KEY,
    token_hash      BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32), -- SHA-256: the token itself is not kept
    name            TEXT NOT NULL,
    question        TEXT NOT NULL,    -- the search's parameters as its URL has them
    after_seq       INTEGER NOT NULL, -- the last change that was judged
    paused          INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    problem         TEXT,             -- why it could not be judged the last time
    created_at      INTEGER NOT NULL
) STRICT;

-- The first time an article passed. No article fires twice, whatever becomes of it or of the index.
CREATE TABLE alert (
    alert_id        INTEGER PRIMARY KEY, -- grows: those of one firing follow one another
    saved_search_id INTEGER NOT NULL REFERENCES saved_search (saved_search_id) ON DELETE CASCADE,
    article_id      TEXT NOT NULL,
    version         INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    fired_at        INTEGER NOT NULL,
    UNIQUE (saved_search_id, article_id)
) STRICT;
CREATE INDEX alert_order ON alert (saved_search_id, alert_id);

CREATE TABLE channel (
    channel_id      INTEGER PRIMARY KEY,
    saved_search_id INTEGER NOT NULL REFERENCES saved_search (saved_search_id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('mail', 'webhook')),
    address         TEXT NOT NULL,
    secret          BLOB NOT NULL, -- signs what is sent to a webhook, and the links in a mail
    state           TEXT NOT NULL CHECK (state IN ('unconfirmed', 'active', 'stopped')),
    problem         TEXT,
    UNIQUE (saved_search_id, kind, address)
) STRICT;
CREATE INDEX channel_address ON channel (address);

-- The outbox: one message about the alerts of one firing to one channel, or, without alerts, the question whether the
-- channel's owner wants any. It is written in the transaction that wrote its alerts.
CREATE TABLE delivery (
    delivery_id INTEGER PRIMARY KEY,
    channel_id  INTEGER NOT NULL REFERENCES channel (channel_id) ON DELETE CASCADE,
    message     TEXT NOT NULL UNIQUE, -- what every attempt is known by
    first_alert INTEGER,
    last_alert  INTEGER,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dropped', 'given_up')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER NOT NULL,
    reason      TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'waiting';
CREATE INDEX delivery_channel ON delivery (channel_id);
