"""Commands of the gateway service."""
