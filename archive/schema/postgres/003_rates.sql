-- When the buckets of web/buckets.py will be full again, in seconds of the server's clock: of all machines together.
-- Names are keyed hashes. Not logged, so that a count costs no disk: after a crash of the server every bucket is full.
-- A row is written over and over; what is left free of each page keeps its versions there. SQLite's archive is on one
-- machine and has a file for this.

CREATE UNLOGGED TABLE rate (
    name    BYTEA PRIMARY KEY,
    full_at DOUBLE PRECISION NOT NULL
) WITH (fillfactor = 50);
