"""Connections by websocket: what is known about one, how it ends, and what is recorded of it."""
