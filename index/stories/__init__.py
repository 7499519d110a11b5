"""Stories: articles that tell of one event, found as they arrive, at any number and over any time."""
