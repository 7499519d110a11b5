"""Reading what may be hostile, in a process that can be killed."""
