"""What is wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """A template that cannot be read, or that fails on its data."""
