"""Migrations of the catalog service."""
