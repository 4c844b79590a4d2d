"""``place 500 --seed 1``: so many events, and as many transactions that are rolled back."""

from __future__ import annotations

import random
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from otelkit.patterns.events import publish

AGGREGATES = 20


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--hangs-without", default="")

    def handle(self, *_: Any, number: int, seed: int, hangs_without: str, **__: Any) -> None:
        dice = random.Random(seed)
        for count in range(number):
            with transaction.atomic():
                publish(
                    "order.placed",
                    {"fails": count % 50 == 7, "hangs_without": hangs_without},
                    destination="orders",
                    aggregate=f"order-{dice.randrange(AGGREGATES)}",
                )
            if count % 10 == 0:
                with transaction.atomic():
                    publish("order.forgotten", destination="orders", aggregate="order-0")
                    transaction.set_rollback(True)
