-- Which model made a generation and how it is opened; and which searches were asked lately, to try another model on.

ALTER TABLE model ADD COLUMN reference TEXT; -- "bundled", a folder, or a hub name; NULL: as the setting says
ALTER TABLE generation ADD COLUMN model_id INTEGER REFERENCES model (model_id); -- NULL: published before this was kept

-- Kept only where it is asked for. What was asked, on which days, how often: nothing of who asked, or of the hour.
CREATE TABLE asked (
    question TEXT PRIMARY KEY, -- what is typed, the mode and the filters, as parameters of an address
    first_on TEXT NOT NULL,    -- a day
    last_on  TEXT NOT NULL,
    times    INTEGER NOT NULL CHECK (times > 0)
) STRICT, WITHOUT ROWID;
