"""What news agencies send, in IPTC's formats."""
