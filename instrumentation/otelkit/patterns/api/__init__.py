"""The API as a contract: which versions are asked for and by whom, when they end, and messages that the schema does not allow.

# shop/middleware.py, then "shop.middleware.Versions" in MIDDLEWARE
class Versions(api.VersionMiddleware):
    versions = (api.Version("v1", deprecated=datetime(2026, 1, 1, tzinfo=UTC), sunset=datetime(2026, 7, 1, tzinfo=UTC)), api.Version("v2"))
    clients = ("web", "app")
"""

from otelkit.patterns.api.contract import ContractMiddleware
from otelkit.patterns.api.recording import requested, violated
from otelkit.patterns.api.versions import Version, VersionMiddleware

__all__ = ["ContractMiddleware", "Version", "VersionMiddleware", "requested", "violated"]
