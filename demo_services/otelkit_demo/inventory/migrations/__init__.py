"""Migrations of the inventory service."""
