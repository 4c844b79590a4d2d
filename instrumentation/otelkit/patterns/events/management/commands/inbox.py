"""``manage.py inbox consume``, and what to do with its dead letters."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from otelkit.patterns.ending import until_told
from otelkit.patterns.events.broker import Broker
from otelkit.patterns.events.commanding import EventsCommand
from otelkit.patterns.events.configuring import chosen
from otelkit.patterns.events.consumer import Consumer
from otelkit.patterns.events.letters import INBOX
from otelkit.patterns.events.subscribing import subscriptions


class Command(EventsCommand):
    """Takes what the broker delivers."""

    help = "Takes events from the broker for this project's consumers, and looks after those that they gave up."
    box = INBOX

    def add_own(self, commands: Any) -> None:
        consume = self.add(commands, "consume", "take events until SIGTERM or Ctrl-C", self._consume)
        consume.add_argument("consumers", nargs="*", metavar="CONSUMER", help="of these consumers (default: all of the project)")
        declare = self.add(commands, "declare", "make the queues at the broker, before anything is sent", self._declare)
        declare.add_argument("consumers", nargs="*", metavar="CONSUMER", help="as above")

    def _consume(self, options: Namespace) -> None:
        settings = chosen()
        with Broker.of(settings) as broker, until_told() as ending:
            Consumer(broker, subscriptions(tuple(options.consumers)), settings, using=options.database).run(ending)

    def _declare(self, options: Namespace) -> None:
        found = {one.queue: one.destination for one in subscriptions(tuple(options.consumers))}
        with Broker.of(chosen()) as broker:
            broker.declare(found)
        self.stdout.write("\n".join(f"{queue} takes what is sent to {destination}" for queue, destination in found.items()))
