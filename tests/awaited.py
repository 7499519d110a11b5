"""What deploy/cluster names before it is there: emptied, and then deleted, when it has come."""

SETTINGS = {"BACKFILE_MILVUS", "BACKFILE_MILVUS_TOKEN"}
OPTIONS = {"reindex": {"--ray"}}  # of a command
