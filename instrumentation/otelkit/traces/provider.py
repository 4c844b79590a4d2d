"""The OpenTelemetry tracer provider, once per process.

OpenTelemetry lets a process set its global provider once. So ours is set once and stays; what it does is switched on by ``start()`` and
off by ``stop()``. Where the project has set a provider of its own, that one is kept and our exporter joins it.

The kit's own spans come from a lighter tracer, unless somebody else's span processor wants to see them: that one needs the SDK's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Tracer, TraceState
from opentelemetry.util.types import Attributes

from otelkit.traces.guarded import guarded
from otelkit.traces.suppression import is_suppressed
from otelkit.traces.tracer import KitTracer

Take = Callable[[Any], None]
"""Takes an ended span: the SDK's or one of ours, which have the same fields."""

MOST_LEFT_OUT = 1024
"""Open spans of excluded requests that are remembered."""
AUTO_VERSION = "telemetry.auto.version"
"""Resource attribute of the providers that ``opentelemetry-instrument`` makes, with exporters of their own."""


class SwitchedProcessor(SpanProcessor):
    """Hands ended, sampled spans on while there is somebody to take them."""

    def __init__(self) -> None:
        self.take: Take | None = None
        self._left_out: dict[int, None] = {}

    def on_end(self, span: ReadableSpan) -> None:
        take = self.take
        if take is None or span.context is None or not span.context.trace_flags.sampled:
            return
        if self._left_out and self._is_left_out(span.context.span_id, span.parent):
            return
        take(span)

    def leave_out(self, span_id: int) -> None:
        """Hands neither this span on nor its direct children."""
        self._left_out[span_id] = None
        if len(self._left_out) > MOST_LEFT_OUT:  # spans that never end, or not here
            self._left_out.pop(next(iter(self._left_out)), None)

    def _is_left_out(self, span_id: int, parent: SpanContext | None) -> bool:
        if span_id in self._left_out:
            self._left_out.pop(span_id, None)
            return True
        return parent is not None and parent.span_id in self._left_out

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  (OpenTelemetry's signature)
        """Nothing waits here: the exporter keeps the queue."""
        return True


def _nothing(attributes: Mapping[str, Any]) -> bool:  # noqa: ARG001  (the shape of `SwitchedSampler.is_excluded`)
    return False


class SwitchedSampler(Sampler):
    """The configured sampler; nothing is kept where silence is asked for, before ``start()`` and after ``stop()``."""

    def __init__(self) -> None:
        self.sampler: Sampler = ALWAYS_OFF
        self.is_excluded: Callable[[Mapping[str, Any]], bool] = _nothing
        """Whether a SERVER span with these attributes, by another instrumentation, is of a request without telemetry."""

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
        if kind is SpanKind.SERVER and attributes and self.is_excluded(attributes):
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

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """The SDK's tracer, whose spans raise for no value."""
        return guarded(super().get_tracer(*args, **kwargs))

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

    def __init__(
        self, provider: KitTracerProvider, name: str, version: str, sample_ratio: float, take: Take | None, *, follows_caller: bool = True
    ) -> None:
        super().__init__(name, version, sample_ratio, take, follows_caller=follows_caller)
        self._of_the_sdk = provider.get_tracer(name, version)
        provider.watch(self)

    def step_aside(self) -> None:
        """Leaves every further span to the SDK. Asking for each span made it a fifth dearer (callgrind, Python 3.11)."""
        self.start_span = self._of_the_sdk.start_span  # type: ignore[method-assign]


_processor = SwitchedProcessor()
_sampler = SwitchedSampler()
_provider: KitTracerProvider | None = None
_joined: set[int] = set()


def switch_on(
    name: str,
    version: str,
    sample_ratio: float,
    take: Take | None,
    is_excluded: Callable[[Mapping[str, Any]], bool] = _nothing,
    *,
    follows_caller: bool = True,
    sdk_spans: bool = False,
) -> tuple[Tracer, str]:
    """Begins to hand spans to ``take``. Gives the tracer for the kit's own spans, and says in words which ones are kept, by whom.

    ``is_excluded`` is asked for the SERVER spans of other instrumentations. ``follows_caller`` and ``sample_ratio`` are as for
    :class:`KitTracer`; with ``sdk_spans`` the kit's own spans are the SDK's.
    """
    global _provider
    _sampler.is_excluded = is_excluded
    by_ratio = TraceIdRatioBased(sample_ratio)
    _sampler.sampler = (ParentBased(by_ratio) if follows_caller else by_ratio) if take else ALWAYS_OFF
    _processor.take = take
    current = trace.get_tracer_provider()
    if exports_by_itself(current):
        return current.get_tracer(name, version), _BY_ITSELF
    if isinstance(current, TracerProvider) and current is not _provider:
        if id(current) not in _joined:
            current.add_span_processor(_processor)
            _joined.add(id(current))
        return current.get_tracer(name, version), "kept as the project's own tracer provider says, which our exporter joined"
    if _provider is None:
        _provider = KitTracerProvider(_sampler, _processor)
        trace.set_tracer_provider(_provider)
    kept = f"{sample_ratio:.0%} of {'new ones' if follows_caller else 'all'} kept, by otelkit's tracer provider"
    if sdk_spans:
        return _provider.get_tracer(name, version), f"{kept}, every span by the SDK"
    return GuestFriendlyTracer(_provider, name, version, sample_ratio, take, follows_caller=follows_caller), kept


_BY_ITSELF = (
    "kept and sent by opentelemetry-instrument, with its exporters and its resource, because it started another distribution; "
    "OTEL_PYTHON_DISTRO=otelkit would choose ours"
)


def exports_by_itself(provider: trace.TracerProvider) -> bool:
    """Whether ``opentelemetry-instrument`` made the provider: what passes through it is sent already, and would arrive twice."""
    return isinstance(provider, TracerProvider) and AUTO_VERSION in provider.resource.attributes


def leave_out(span: Span) -> None:
    """Keeps a span that another instrumentation has opened, and its direct children, from being exported by us."""
    if span.is_recording():
        _processor.leave_out(span.get_span_context().span_id)


def switch_off() -> None:
    """Stops handing spans on; new ones are not recorded."""
    _processor.take = None
    _sampler.sampler = ALWAYS_OFF
    _sampler.is_excluded = _nothing
