"""``manage.py outbox relay``, and what to do with its dead letters."""

from __future__ import annotations

from argparse import Namespace
from threading import Event
from typing import Any

from otelkit.patterns.ending import until_told
from otelkit.patterns.events.broker import Broker
from otelkit.patterns.events.commanding import EventsCommand
from otelkit.patterns.events.configuring import chosen
from otelkit.patterns.events.letters import OUTBOX
from otelkit.patterns.events.relay import Relay


class Command(EventsCommand):
    """Sends what the outbox holds."""

    help = "Sends the events of the outbox to the broker, and looks after those that it refused."
    box = OUTBOX

    def add_own(self, commands: Any) -> None:
        relay = self.add(commands, "relay", "send events until SIGTERM or Ctrl-C", self._relay)
        relay.add_argument("--once", action="store_true", help="send what is there now, and end")

    def _relay(self, options: Namespace) -> None:
        settings = chosen()
        with Broker.of(settings) as broker, until_told() as ending:
            relay = Relay(broker, settings, using=options.database)
            if options.once:
                self.stdout.write(f"{_all(relay, ending)} events handled.")
            else:
                relay.run(ending)


def _all(relay: Relay, ending: Event) -> int:
    total = 0
    while not ending.is_set() and (handled := relay.run_once()):
        total += handled
    return total
