"""What the demo has to say to the person who started it."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot start or go on: one clear sentence, and the way on."""


class ChildDiedError(DemoError):
    """A process of the demo ended by itself."""
