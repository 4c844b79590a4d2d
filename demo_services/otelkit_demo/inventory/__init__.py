"""Knows what is on the shelf: an async service under uvicorn that holds goods for orders."""
