"""The demo's customers for Locust, which brings a page with sliders: ``locust --locustfile demo_services/locustfile.py --host http://127.0.0.1:8000``.

The journeys and their weights are those of ``python -m otelkit_demo.load``.
"""

from __future__ import annotations

import random
from http.cookiejar import DefaultCookiePolicy

from locust import HttpUser, between, task

from otelkit_demo.journeys import JOURNEYS, Shop


class Customer(HttpUser):
    """Somebody who comes to the shop, does one thing, and thinks for a while."""

    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        """Look around for the first time."""
        # A customer who is logged in shows cookies with each request; none is kept for the next journey.
        self.client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.shop = Shop(self.client)

    @task
    def walk(self) -> None:
        """One journey, as often as its weight says."""
        chance = random.Random()  # noqa: S311 - chance, not a secret
        journey = chance.choices(JOURNEYS, [journey.weight for journey in JOURNEYS])[0]
        journey.plan(chance)(self.shop)
