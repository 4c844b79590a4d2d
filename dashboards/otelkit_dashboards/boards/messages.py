"""Messages: what is sent to brokers and taken from them."""

from __future__ import annotations

from typing import Final

from otelkit.catalog.labels import ERROR_TYPE, MESSAGING_DESTINATION_NAME, MESSAGING_SYSTEM
from otelkit.catalog.metrics import (
    MESSAGING_CLIENT_CONSUMED_MESSAGES,
    MESSAGING_CLIENT_OPERATION_DURATION,
    MESSAGING_CLIENT_SENT_MESSAGES,
    MESSAGING_PROCESS_DURATION,
)
from otelkit.catalog.promql import differs, quantile, rate
from otelkit_dashboards.boards.choices import CHOSEN
from otelkit_dashboards.boards.guards import ALIVE, or_none
from otelkit_dashboards.model import Row
from otelkit_dashboards.panels import TimeSeries, Unit

NO_MESSAGES: Final = "No message in this time range: the service sends and takes none by kombu or pika. Celery's tasks stand above."

_PLACE: Final = [MESSAGING_SYSTEM, MESSAGING_DESTINATION_NAME]
_FAILED: Final = (*CHOSEN, differs(ERROR_TYPE, ""))
_FAILURE: Final = [MESSAGING_DESTINATION_NAME, ERROR_TYPE]

MESSAGES = Row(
    "messages",
    "Messages",
    (
        TimeSeries(
            key="messages-sent",
            title="Messages sent",
            help="Messages given to a broker a second, by destination.",
            act="More than are taken beside: the consumers do not keep up, or are gone.",
            missing=NO_MESSAGES,
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            queries=or_none(rate(MESSAGING_CLIENT_SENT_MESSAGES, by=_PLACE, where=CHOSEN), tuple(_PLACE), out_of=ALIVE),
        ),
        TimeSeries(
            key="messages-taken",
            title="Messages taken",
            help="Messages that consumers began to work on, a second, by destination.",
            act="None while some are sent: look whether a consumer lives, then at the broker.",
            missing=NO_MESSAGES,
            unit=Unit.EVENTS_PER_SECOND,
            width=6,
            queries=or_none(rate(MESSAGING_CLIENT_CONSUMED_MESSAGES, by=_PLACE, where=CHOSEN), tuple(_PLACE), out_of=ALIVE),
        ),
        TimeSeries(
            key="message-send-time",
            title="Time to send, p95",
            help="Time within which the broker takes 95 of 100 messages.",
            act="Rising: the broker is busy or blocks its publishers; look at its memory and its disk.",
            missing=NO_MESSAGES,
            unit=Unit.SECONDS,
            width=6,
            queries=or_none(quantile(0.95, MESSAGING_CLIENT_OPERATION_DURATION, by=_PLACE, where=CHOSEN), tuple(_PLACE), out_of=ALIVE),
        ),
        TimeSeries(
            key="message-work-time",
            title="Time to work on one, p95",
            help="Time within which a consumer is done with 95 of 100 messages.",
            act="Rising with the wait of messages: open a slow trace of the consumer and find its longest span.",
            missing=NO_MESSAGES,
            unit=Unit.SECONDS,
            width=6,
            queries=or_none(quantile(0.95, MESSAGING_PROCESS_DURATION, by=_PLACE, where=CHOSEN), tuple(_PLACE), out_of=ALIVE),
        ),
        TimeSeries(
            key="message-failures",
            title="Failures by type",
            help="Messages a second whose consumer raised, by destination and exception.",
            act="Each comes again or is lost, as the consumer says to the broker: open a trace of it for the exception.",
            missing=NO_MESSAGES,
            unit=Unit.EVENTS_PER_SECOND,
            width=24,
            bars=True,
            queries=or_none(rate(MESSAGING_PROCESS_DURATION, by=_FAILURE, where=_FAILED), tuple(_FAILURE), out_of=ALIVE),
        ),
    ),
)
