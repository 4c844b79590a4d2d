"""Migrations of the notifications service."""
