"""Whether a fault hits this time, asked through OpenFeature, so that each answer is counted and seen in the trace that it changed.

The provider reads the demo's flag file. A flag's value there is its share of calls; what is asked for is a boolean: does it hit now.
"""

# ruff: noqa: ARG002  (OpenFeature's signatures: a fault that is not in the file is off, and one that is hits whomever)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider
from openfeature.provider.metadata import Metadata

from otelkit.patterns import flags
from otelkit_demo.faults import FlagFile, active_faults

DOMAIN = "faults"


class FlagFileProvider(AbstractProvider):
    """OpenFeature over the flag file: a fault is on for its share of the evaluations."""

    def __init__(self, file: FlagFile) -> None:
        super().__init__()
        self._file = file

    def get_metadata(self) -> Metadata:
        return Metadata(name="flag-file")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        share, hits = self._file.shares().get(flag_key, 0.0), self._file.strikes(flag_key)
        reason = Reason.SPLIT if 0 < share < 1 else Reason.STATIC
        return FlagResolutionDetails(value=hits, variant="on" if hits else "off", reason=reason)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        raise TypeMismatchError(_ONLY_BOOLEAN.format(flag_key))

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        raise TypeMismatchError(_ONLY_BOOLEAN.format(flag_key))

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        return FlagResolutionDetails(value=self._file.shares().get(flag_key, 0.0), reason=Reason.STATIC)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[Any] | Mapping[str, Any]]:
        raise TypeMismatchError(_ONLY_BOOLEAN.format(flag_key))


_ONLY_BOOLEAN = "The fault {} is a share: ask for a boolean (does it hit now) or for a float (its share)."


def hits(fault: str) -> bool:
    """Whether the fault of this name hits this time. False without a flag file."""
    client = _client()
    # Only what is set is asked for: twenty flags that are off would be twenty events on every span.
    if client is None or not is_set(fault):
        return False
    return client.get_boolean_value(fault, False)


def is_set(fault: str) -> bool:
    """Whether the fault hits at least sometimes, by the flag file alone: for loops that wait for its end."""
    file = active_faults()
    return file is not None and file.shares().get(fault, 0.0) > 0


@cache
def _client() -> OpenFeatureClient | None:
    file = active_faults()
    if file is None:
        return None
    api.set_provider(FlagFileProvider(file), DOMAIN)
    client = api.get_client(DOMAIN)
    client.add_hooks([flags.hook()])
    return client
