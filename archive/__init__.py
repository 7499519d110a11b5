"""The archive: articles, their versions, and everything an index is built from.

The archive is the truth. This package never imports `index` or `web`.
"""
