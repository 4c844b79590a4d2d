"""Messages sent to a broker and taken from it. Source: semantic conventions 1.37, messaging metrics."""

from __future__ import annotations

from otelkit.catalog.labels import ERROR_TYPE, MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME, MESSAGING_SYSTEM
from otelkit.catalog.metrics.model import SECONDS_BUCKETS, Kind, Metric

_LABELS = (MESSAGING_SYSTEM, MESSAGING_DESTINATION_NAME, MESSAGING_OPERATION_NAME, ERROR_TYPE)

MESSAGING_CLIENT_OPERATION_DURATION = Metric(
    "messaging.client.operation.duration", Kind.HISTOGRAM, "s", "Time of one call of the broker.", _LABELS, SECONDS_BUCKETS
)
MESSAGING_CLIENT_SENT_MESSAGES = Metric(
    "messaging.client.sent.messages", Kind.COUNTER, "{message}", "Messages given to the broker, or tried to.", _LABELS
)
MESSAGING_CLIENT_CONSUMED_MESSAGES = Metric(
    "messaging.client.consumed.messages", Kind.COUNTER, "{message}", "Messages that the broker delivered.", _LABELS
)
MESSAGING_PROCESS_DURATION = Metric(
    "messaging.process.duration", Kind.HISTOGRAM, "s", "Time to work on one message.", _LABELS, SECONDS_BUCKETS
)
