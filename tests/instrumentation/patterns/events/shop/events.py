"""The shop's consumers."""

from otelkit.patterns.events import CloudEvent, subscribe
from tests.instrumentation.patterns.events.shop.models import Effect


@subscribe("orders", consumer="shipping")
def ship(event: CloudEvent) -> None:
    """Fails at the first attempt of every fiftieth event, after its effect."""
    Effect.objects.create(consumer="shipping", aggregate=event.aggregate, position=event.position)
    if event.data["fails"] and not _has_failed(event):
        raise RuntimeError("no stock, the first time")


def _has_failed(event: CloudEvent) -> bool:
    from otelkit.patterns.events.models import InboxEvent

    return InboxEvent.objects.filter(event_id=event.id, attempts__gt=0).exists()
