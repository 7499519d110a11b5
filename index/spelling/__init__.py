"""Did you mean: in the archive served (`respelling`), for one query (`speller`), for one word (`slips`, `edits`)."""
