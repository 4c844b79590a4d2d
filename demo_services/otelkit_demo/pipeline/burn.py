"""How fast one version of a service spends its error budget, asked from Prometheus or whatever answers like it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass

from otelkit.catalog.labels import HTTP_RESPONSE_STATUS_CODE, SERVICE_NAME, SERVICE_VERSION
from otelkit.catalog.metrics import HTTP_SERVER_REQUEST_DURATION
from otelkit.catalog.objectives import AVAILABILITY
from otelkit.catalog.promql import Expr, equals, increase, matches
from otelkit_demo.errors import DemoError

TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What one version answered within a window: about how many requests, and how many of them with a 5xx."""

    requests: float
    failed: float

    @property
    def burn(self) -> float:
        """How many times too fast the error budget of 30 days is spent; 1 spends it in 30 days. 0 without requests."""
        return self.failed / self.requests / AVAILABILITY.budget if self.requests else 0.0


def answers_of(prometheus: str, service: str, version: str, window: str) -> Answers:
    """What that version of the service answered within ``window``, such as ``5m``. Raises DemoError where nobody can say."""
    whose = [equals(SERVICE_NAME, service), equals(SERVICE_VERSION, version)]
    failed = [*whose, matches(HTTP_RESPONSE_STATUS_CODE, "5..")]
    return Answers(
        requests=_value(prometheus, increase(HTTP_SERVER_REQUEST_DURATION, where=whose, window=window)),
        failed=_value(prometheus, increase(HTTP_SERVER_REQUEST_DURATION, where=failed, window=window)),
    )


def _value(prometheus: str, query: Expr) -> float:
    address = f"{prometheus.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': str(query)})}"
    if not address.startswith(("http://", "https://")):
        raise DemoError(f"Prometheus is asked over http or https; {prometheus} is neither.")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - checked above
            result = json.load(answer)["data"]["result"]
    except (OSError, ValueError, KeyError) as error:
        raise DemoError(f"{prometheus} does not say how the version does: {error}") from error
    return float(result[0]["value"][1]) if result else 0.0
