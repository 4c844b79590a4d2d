"""Log lines: what is in them, where they go, and what never is."""
