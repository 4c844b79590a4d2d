"""Feature flags: which variant was given, how often, and in which trace.

from openfeature import api
from otelkit.patterns import flags

api.add_hooks([flags.hook()])

A hook of OpenFeature's; another library calls :func:`evaluated`. What the flag was evaluated for (a user) and a value that is no variant
are never recorded.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from opentelemetry import trace

from otelkit.catalog.labels import FEATURE_FLAG_KEY, FEATURE_FLAG_RESULT_VARIANT
from otelkit.catalog.metrics import FEATURE_FLAG_EVALUATIONS
from otelkit.metrics import business

_evaluations = business.recorder(business.BusinessCounter, FEATURE_FLAG_EVALUATIONS)


def evaluated(key: str, variant: str | None, *, reason: str = "", provider: str = "") -> None:
    """A flag was evaluated: metric, and an event on the current span (OpenTelemetry semantic conventions, feature flags). Never raises."""
    _evaluations.add(1, **{FEATURE_FLAG_KEY.name: key, FEATURE_FLAG_RESULT_VARIANT.name: variant})
    said = {
        FEATURE_FLAG_KEY.name: key,
        FEATURE_FLAG_RESULT_VARIANT.name: variant,
        "feature_flag.result.reason": reason,
        "feature_flag.provider.name": provider,
    }
    with suppress(Exception):  # the span may be the project's own
        trace.get_current_span().add_event("feature_flag.evaluation", {name: value for name, value in said.items() if value})


def hook() -> Any:
    """A hook for ``openfeature.api.add_hooks()``, a client or one evaluation. Needs ``pip install 'otelkit[flags]'``."""
    from openfeature.hook import Hook

    class OtelkitHook(Hook):
        def finally_after(self, hook_context: Any, details: Any, hints: Any) -> None:  # noqa: ARG002  (OpenFeature's signature)
            with suppress(Exception):  # OpenFeature would log it, at each evaluation
                provider = getattr(hook_context.provider_metadata, "name", None) or ""
                evaluated(details.flag_key, _variant(details), reason=_reason(details), provider=str(provider))

    return OtelkitHook()


def _variant(details: Any) -> str | None:
    """The variant; of a provider that names none, a switch is on or off, and anything else is nobody's business."""
    if details.variant:
        return str(details.variant)
    return str(details.value).lower() if isinstance(details.value, bool) else None


def _reason(details: Any) -> str:
    return str(getattr(details.reason, "value", details.reason) or "").lower()
