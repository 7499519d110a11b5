-- Every table has a key, by which two databases are compared row by row (archive/moving.py).
CREATE TABLE question (
    question_id  INTEGER PRIMARY KEY,
    address_hash BLOB NOT NULL CHECK (length(address_hash) = 32), -- SHA-256, in small letters: the address is not kept
    asked_at     INTEGER NOT NULL
) STRICT;
INSERT INTO question (address_hash, asked_at) SELECT address_hash, asked_at FROM mail_question ORDER BY asked_at;
DROP TABLE mail_question;
ALTER TABLE question RENAME TO mail_question;
CREATE INDEX mail_question_address ON mail_question (address_hash);
