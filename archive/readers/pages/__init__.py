"""Pages of the web: the article in one, and what its tags say of it."""
