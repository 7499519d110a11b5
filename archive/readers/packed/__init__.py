"""Files that hold others, walked member by member, and what that may cost."""
