-- How long a token holds, from where something was done by one, and how often somebody was refused.

ALTER TABLE token ADD COLUMN expires_at TEXT; -- null: until it is revoked

ALTER TABLE audit ADD COLUMN client TEXT; -- the address it was done from; null before it was noted

-- Sums by the day, and no addresses: who was refused may be anybody.
CREATE TABLE refusal (
    day   TEXT NOT NULL, -- ISO 8601, in UTC
    why   TEXT NOT NULL CHECK (why IN ('none', 'unknown', 'revoked', 'expired', 'scope')),
    times INTEGER NOT NULL,
    PRIMARY KEY (day, why)
) STRICT, WITHOUT ROWID;
