"""Takes a project to the doctor, in this process: the tests' own project with the one line, and whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from otelkit.doctor import Hop, Outcome, examine, exit_code
from tests.instrumentation.checks.looking import a_logging

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SECRET = "s3cr3t"
"""What some patients carry, and no doctor may tell."""


@dataclass(frozen=True)
class Visit:
    """What the doctor said."""

    hops: list[Hop]

    @property
    def code(self) -> int:
        """The exit code."""
        return exit_code(self.hops)

    def of(self, name: str, outcome: Outcome = Outcome.FAIL) -> str:
        """Detail and fix of the hops of that name that went so."""
        return "\n".join(f"{hop.detail} -> {hop.fix}" for hop in self.hops if (hop.name, hop.outcome) == (name, outcome))

    def outcomes(self) -> dict[str, str]:
        """How each hop went."""
        return {hop.name: hop.outcome.value for hop in self.hops}

    def assert_every_complaint_has_a_fix_and_no_secret(self) -> None:
        """E4, C1."""
        assert all(hop.fix for hop in self.hops if hop.outcome in (Outcome.FAIL, Outcome.WARN)), self.hops
        assert SECRET not in str(self.hops)


@dataclass(frozen=True)
class Patient:
    """A project, by what is wrong with it."""

    otelkit: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    django: Mapping[str, Any] = field(default_factory=dict)
    logging: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 2.0

    def visit(self, monkeypatch: pytest.MonkeyPatch) -> Visit:
        """Has it examined."""
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)
        chosen = {
            "INSTALLED_APPS": ["otelkit", *settings.INSTALLED_APPS],
            "OTELKIT": {"service": {"name": "shop"}, "export": {"shutdown_timeout": 0.2}, **self.otelkit},
            **self.django,
        }
        with override_settings(**chosen), a_logging(self.logging):
            return Visit(list(examine(self.timeout)))
