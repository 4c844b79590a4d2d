"""The shop's consumers."""

from pathlib import Path
from threading import Event

from otelkit.patterns.events import CloudEvent, subscribe
from tests.instrumentation.patterns.events.shop.models import Effect


@subscribe("orders", consumer="shipping")
def ship(event: CloudEvent) -> None:
    """Fails at the first attempt of every fiftieth event, after its effect; hangs with one that names a file, until that is there."""
    Effect.objects.create(consumer="shipping", aggregate=event.aggregate, position=event.position)
    if (seen := event.data.get("hangs_without")) and not Path(seen).exists():
        Path(seen).touch()
        Event().wait()
    if event.data["fails"] and not _has_failed(event):
        raise RuntimeError("no stock, the first time")


def _has_failed(event: CloudEvent) -> bool:
    from otelkit.patterns.events.models import InboxEvent

    return InboxEvent.objects.filter(event_id=event.id, attempts__gt=0).exists()
