"""A shop whose processes are killed in the middle of their work."""
