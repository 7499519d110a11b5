-- What each that is followed said of a page when it was asked for last: a feed and a sitemap of one site say the same
-- thing in different ways, and neither has changed for that.

CREATE TABLE told (
    url_hash BLOB NOT NULL CHECK (length(url_hash) = 32), -- of the page, as in `page`
    teller   BLOB NOT NULL CHECK (length(teller) = 32),   -- SHA-256 of the address of what is followed
    said     BLOB NOT NULL CHECK (length(said) = 32),     -- SHA-256
    PRIMARY KEY (url_hash, teller)
) STRICT, WITHOUT ROWID;
