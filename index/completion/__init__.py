"""Completion of what is being typed: the titles read (`suggest`), their phrases (`phrases`), the choice (`typed`)."""
