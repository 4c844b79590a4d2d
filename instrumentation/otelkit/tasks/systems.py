"""How the semantic conventions call brokers."""

from __future__ import annotations

_SYSTEMS = {
    "": "rabbitmq",  # the default of kombu and Celery
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "pyamqp": "rabbitmq",
    "librabbitmq": "rabbitmq",
    "rediss": "redis",
    "sentinel": "redis",
    "sqs": "aws_sqs",
    "confluentkafka": "kafka",
    "azureservicebus": "servicebus",
    "gcpubsub": "gcp_pubsub",
}


def system_of_transport(name: str) -> str:
    """``messaging.system`` for kombu's name of a transport; any other name stays as it is."""
    name = name.partition("+")[0].lower()
    return _SYSTEMS.get(name, name)
