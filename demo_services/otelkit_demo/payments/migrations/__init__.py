"""Migrations of the payments service."""
