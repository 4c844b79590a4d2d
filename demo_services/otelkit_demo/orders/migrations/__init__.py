"""Migrations of the orders service."""
