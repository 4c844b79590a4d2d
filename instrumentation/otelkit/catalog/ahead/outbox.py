"""Transactional outbox and inbox: messages that are stored with the data, sent later, and taken once."""

from __future__ import annotations

from otelkit.catalog.labels import MESSAGING_DESTINATION_NAME
from otelkit.catalog.labels.model import Label
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

OUTBOX_OUTCOME = Label("outcome", "Whether the broker took the message. Ours.", ("ok", "error"))
CONSUMER = Label("consumer", "Who takes the messages. Ours.")
INBOX_OUTCOME = Label(
    "outcome", "What became of the message; `dead` for one that is given up. Ours.", ("ok", "duplicate", "failed", "dead")
)

OUTBOX_PENDING = Metric("outbox.pending", Kind.GAUGE, "{message}", "Messages that are stored and not yet sent.")
OUTBOX_OLDEST_AGE = Metric("outbox.oldest.age", Kind.GAUGE, "s", "How long the oldest of them has waited; 0 where none waits.")
OUTBOX_PUBLISHED = Metric(
    "outbox.published", Kind.COUNTER, "{message}", "Messages given to the broker.", (MESSAGING_DESTINATION_NAME, OUTBOX_OUTCOME)
)
OUTBOX_PUBLISH_LAG = Metric(
    "outbox.publish.lag", Kind.HISTOGRAM, "s", "Time between storing a message and the broker's taking it.", (), SECONDS_BUCKETS
)
INBOX_PROCESSED = Metric("inbox.processed", Kind.COUNTER, "{message}", "Messages taken out of the inbox.", (CONSUMER, INBOX_OUTCOME))
