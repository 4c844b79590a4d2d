"""The servers that run Django, one small file each: whether this process is a worker or the master that will fork them, and its size."""

from __future__ import annotations

from otelkit.servers.base import UNKNOWN, Role, Server
from otelkit.servers.recognising import recognise

__all__ = ["UNKNOWN", "Role", "Server", "recognise"]
