"""The index: a disposable, checksummed view of the archive, and the search that runs over it.

Everything here can be deleted and rebuilt from the store. This package imports `archive` and never `web`.
"""
