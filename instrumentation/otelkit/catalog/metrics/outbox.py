"""Transactional outbox and inbox: messages that are stored with the data, sent later, and taken once."""

from __future__ import annotations

from otelkit.catalog import labels as l
from otelkit.catalog.metrics.model import Kind, Metric

WAITING_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds in seconds for what is over at once in health, and may take an hour."""

OUTBOX_PENDING = Metric(
    "outbox.pending",
    Kind.GAUGE,
    "{message}",
    "Messages that are stored and not yet sent. Every process asks the database: take the largest.",
)
OUTBOX_OLDEST_AGE = Metric(
    "outbox.oldest.age", Kind.GAUGE, "s", "How long the oldest of them has waited; 0 where none waits. Take the largest."
)
OUTBOX_PUBLISHED = Metric(
    "outbox.published", Kind.COUNTER, "{message}", "Messages given to the broker.", (l.MESSAGING_DESTINATION_NAME, l.OUTBOX_OUTCOME)
)
OUTBOX_PUBLISH_LAG = Metric(
    "outbox.publish.lag", Kind.HISTOGRAM, "s", "Time between storing a message and the broker's taking it.", (), WAITING_BUCKETS
)
INBOX_PROCESSED = Metric("inbox.processed", Kind.COUNTER, "{message}", "Messages taken out of the inbox.", (l.CONSUMER, l.INBOX_OUTCOME))
