"""Records, one an article: JSON Lines, lists and tables, and an archive's own export."""
