"""Tells customers what became of their orders: takes events, and streams them to the page."""
