"""How passwords are kept."""

from __future__ import annotations

from django.contrib.auth.hashers import ScryptPasswordHasher


class QuickScrypt(ScryptPasswordHasher):
    """A fifth of the work that Django asks for (OWASP's count of passes): with that, log-ins are most of what a busy demo computes.

    A shop with customers takes Django's own.
    """

    parallelism = 1
