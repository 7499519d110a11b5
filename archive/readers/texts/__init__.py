"""Plain text and mail."""
