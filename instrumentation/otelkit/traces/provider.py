"""The OpenTelemetry tracer provider, once per process.

OpenTelemetry lets a process set its global provider once. So ours is set once and stays; what it does is switched on by ``start()`` and
off by ``stop()``. Where the project has set a provider of its own, that one is kept and our exporter joins it.

The kit's own spans come from a lighter tracer, unless somebody else's span processor wants to see them: that one needs the SDK's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, Tracer, TraceState
from opentelemetry.util.types import Attributes

from otelkit.traces.suppression import is_suppressed
from otelkit.traces.tracer import KitTracer

Take = Callable[[Any], None]
"""Takes an ended span: the SDK's or one of ours, which have the same fields."""


class SwitchedProcessor(SpanProcessor):
    """Hands ended, sampled spans on while there is somebody to take them."""

    def __init__(self) -> None:
        self.take: Take | None = None

    def on_end(self, span: ReadableSpan) -> None:
        take = self.take
        if take is not None and span.context is not None and span.context.trace_flags.sampled:
            take(span)

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  (OpenTelemetry's signature)
        """Nothing waits here: the exporter keeps the queue."""
        return True


class SwitchedSampler(Sampler):
    """The configured sampler; nothing is kept where silence is asked for, before ``start()`` and after ``stop()``."""

    def __init__(self) -> None:
        self.sampler: Sampler = ALWAYS_OFF

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        if is_suppressed(parent_context):  # an excluded request has no spans, not even those the project makes itself
            return SamplingResult(Decision.DROP)
        return self.sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return self.sampler.get_description()


class KitTracerProvider(TracerProvider):
    """The SDK's provider, which knows whether a processor that is not ours listens."""

    def __init__(self, sampler: Sampler, processor: SpanProcessor) -> None:
        # No exit hook of its own: it would wait up to 30 s for a receiver that is gone. Ours is bounded.
        super().__init__(sampler=sampler, shutdown_on_exit=False)
        super().add_span_processor(processor)
        self._has_guests = False
        self._light_tracers: WeakSet[GuestFriendlyTracer] = WeakSet()

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """From now on every span is the SDK's, so that the newcomer sees the kit's too."""
        self._has_guests = True
        super().add_span_processor(span_processor)
        for tracer in self._light_tracers:
            tracer.step_aside()

    def watch(self, tracer: GuestFriendlyTracer) -> None:
        """Tells the tracer when somebody else listens: at once, or later."""
        self._light_tracers.add(tracer)
        if self._has_guests:
            tracer.step_aside()


class GuestFriendlyTracer(KitTracer):
    """Light spans while nobody else listens on the provider, the SDK's as soon as somebody does."""

    def __init__(self, provider: KitTracerProvider, name: str, version: str, sample_ratio: float, take: Take | None) -> None:
        super().__init__(name, version, sample_ratio, take)
        self._of_the_sdk = provider.get_tracer(name, version)
        provider.watch(self)

    def step_aside(self) -> None:
        """Leaves every further span to the SDK. Not asked for each span: that would cost more than half of making one."""
        self.start_span = self._of_the_sdk.start_span  # type: ignore[method-assign]


_processor = SwitchedProcessor()
_sampler = SwitchedSampler()
_provider: KitTracerProvider | None = None
_joined: set[int] = set()


def switch_on(name: str, version: str, sample_ratio: float, take: Take | None) -> tuple[Tracer, str]:
    """Begins to hand spans to ``take``. Gives the tracer for the kit's own spans, and says in words who makes the others."""
    global _provider
    _sampler.sampler = ParentBased(TraceIdRatioBased(sample_ratio)) if take else ALWAYS_OFF
    _processor.take = take
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider) and current is not _provider:
        if id(current) not in _joined:
            current.add_span_processor(_processor)
            _joined.add(id(current))
        return current.get_tracer(name, version), "the project's own tracer provider, which our exporter joined"
    if _provider is None:
        _provider = KitTracerProvider(_sampler, _processor)
        trace.set_tracer_provider(_provider)
    return GuestFriendlyTracer(_provider, name, version, sample_ratio, take), "otelkit's tracer provider"


def switch_off() -> None:
    """Stops handing spans on; new ones are not recorded."""
    _processor.take = None
    _sampler.sampler = ALWAYS_OFF
