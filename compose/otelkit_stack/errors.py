"""What the stack says when it cannot go on."""

from __future__ import annotations


class StackError(Exception):
    """A failure that its user can mend: the text is one sentence that names the thing, and the way on."""
