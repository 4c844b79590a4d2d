"""Messages that a broker carries, and what becomes of them."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

MESSAGING_SYSTEM = Label("messaging.system", "Broker's product, like `rabbitmq` or `redis`.")
MESSAGING_OPERATION_NAME = Label("messaging.operation.name", "What was done with the message, like `send` or `process`.")
MESSAGING_OPERATION_TYPE = Label("messaging.operation.type", "Kind of that: `send` or `process`.")
MESSAGING_MESSAGE_ID = Label("messaging.message.id", "Id of the message; of a task the task's.")
MESSAGING_CONSUMER_GROUP_NAME = Label("messaging.consumer.group.name", "Consumer that takes the message, alone or with others.")
CLOUDEVENTS_EVENT_TYPE = Label("cloudevents.event_type", "Type of the event, like `order.placed`.")
CLOUDEVENTS_EVENT_SOURCE = Label("cloudevents.event_source", "Who the event is from.")
OUTBOX_OUTCOME = Label("outcome", "Whether the broker took the message. Ours.", ("ok", "error"))
CONSUMER = Label("consumer", "Who takes the messages. Ours.")
INBOX_OUTCOME = Label(
    "outcome",
    "What became of the message: `early` came before its predecessor and waits for it, `failed` is tried again, `dead` is given up. Ours.",
    ("ok", "duplicate", "early", "failed", "dead"),
)
