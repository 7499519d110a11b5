"""Feeds, and lists of addresses: sitemaps and subscriptions."""
