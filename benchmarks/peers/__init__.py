"""The peers: other search engines over the same articles, each in a process of its own and in their own environment."""
