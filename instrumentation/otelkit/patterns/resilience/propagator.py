"""The deadline as a format of trace headers: what is left goes with every outbound call that the kit follows.

OTELKIT = {"traces": {"propagators": ["tracecontext", "baggage", "deadline"]}}

Incoming, the middleware reads it: a deadline begins with a request, and ends with it.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, TextMapPropagator, default_getter, default_setter

from otelkit.patterns.resilience.deadline import HEADER, outgoing_headers


class DeadlinePropagator(TextMapPropagator):
    """Writes the header of :func:`otelkit.patterns.resilience.outgoing_headers`, and reads nothing."""

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:  # noqa: ARG002  (the interface)
        return Context() if context is None else context

    def inject(self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter) -> None:  # noqa: ARG002
        for name, value in outgoing_headers().items():
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        """The header that is written."""
        return {HEADER.lower()}
