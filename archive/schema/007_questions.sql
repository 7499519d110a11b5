-- When an address was asked whether it wants alerts, and that it wants no such question. Whatever becomes of the channel
-- or the saved search it was asked for, this stays: else taking one away and adding it again would flood the address.
CREATE TABLE mail_question (
    address_hash BLOB NOT NULL CHECK (length(address_hash) = 32), -- SHA-256, in small letters: the address is not kept
    asked_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_question_address ON mail_question (address_hash);

CREATE TABLE mail_refusal (
    address_hash BLOB PRIMARY KEY CHECK (length(address_hash) = 32),
    refused_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When somebody last came to a saved search, as far as a day: for whoever clears out those that nobody uses.
ALTER TABLE saved_search ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;
UPDATE saved_search SET opened_at = unixepoch();
