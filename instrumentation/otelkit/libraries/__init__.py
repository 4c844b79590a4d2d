"""Third-party libraries whose work joins the trace: one small file each, in the order they are switched on.

To add one: a file beside these, a line in ``LIBRARIES``, its name in the setting ``clients.libraries``, a test beside the others.
"""

from __future__ import annotations

from otelkit.libraries import httpx, requests
from otelkit.libraries.base import Library, Recording

__all__ = ["LIBRARIES", "Library", "Recording"]

LIBRARIES: tuple[Library, ...] = (httpx.LIBRARY, requests.LIBRARY)
