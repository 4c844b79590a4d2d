"""Migrations of the gateway service."""
