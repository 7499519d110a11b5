"""What shows that Backfile is fast: each part measures it beside something else, in turn, in one run."""
