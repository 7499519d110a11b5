"""The inside of the query language, whose door is `index.query`: from characters to tokens to a tree of clauses."""
