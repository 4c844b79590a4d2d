"""The settings of outbox and inbox (:mod:`otelkit.patterns.events`). They hold while the kit is off, too."""

from __future__ import annotations

from dataclasses import dataclass

from otelkit import settings_field as s
from otelkit.settings_field import setting


def broker(value: str) -> str | None:
    """An address for kombu, or nothing."""
    return None if not value or "://" in value else "must be an address like amqp://user:password@host// or filesystem:///var/spool/events"


@dataclass(frozen=True, slots=True)
class Events:
    """Outbox and inbox, where otelkit.patterns.events is an installed app."""

    broker: str = setting(
        "",
        env="OTELKIT_EVENTS_BROKER",
        help="Where relay and consumers find the broker, as kombu writes it: amqp://, redis://, filesystem:///a/folder, memory://.",
        check=broker,
    )
    broker_options: dict[str, str] = setting(
        {}, help="Transport options of kombu; a value that is a number, or true or false, is passed on as one."
    )
    source: str = setting("", help="Who the events are from (CloudEvents source); the service's name when empty.")
    require_transaction: bool = setting(True, help="Refuses to publish outside of a transaction, where event and data could part.")
    databases: tuple[str, ...] = setting(("default",), help="Aliases of the databases whose outbox is measured.")
    batch: int = setting(
        100, help="Events that a relay takes at once; as many may be sent twice when it is killed.", check=s.between(1, 10_000)
    )
    poll: float = setting(0.5, help="Seconds between two looks into an empty outbox.", check=s.between(0.01, 3600))
    lease: float = setting(
        30.0,
        help="Seconds for which a relay has its events where the database cannot lock rows (SQLite); those of a killed one wait as long.",
        check=s.between(1, 3600),
    )
    attempts: int = setting(
        10, help="Times that an event is tried, at the broker and at a consumer, before it is a dead letter.", check=s.between(1, 1000)
    )
    retry_base: float = setting(
        1.0, help="Seconds that the first retry waits at most; each further one at most twice as long.", check=s.between(0.01, 3600)
    )
    retry_cap: float = setting(300.0, help="Seconds that any retry waits at most.", check=s.between(0.01, 86_400))
    order_patience: float = setting(
        60.0,
        help="Seconds that an event which came too early waits for the one before it; then the consumer goes on without that one.",
        check=s.between(0, 86_400),
    )
    link_after: float = setting(
        3600.0, help="Seconds after which an event begins a trace of its own that links to its origin.", check=s.between(0, 31_536_000)
    )
