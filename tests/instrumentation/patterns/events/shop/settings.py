"""What the test that starts the process says, and no more."""

import json
import os

from otelkit.patterns import gauges

SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = ["otelkit", "otelkit.patterns.events", "tests.instrumentation.patterns.events.shop"]
DATABASES = {"default": json.loads(os.environ["SHOP_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
OTELKIT = {
    "service": {"name": "shop"},
    "events": json.loads(os.environ["SHOP_EVENTS"]),
    "metrics": {"interval": 1.0},
    "export": {"interval": 0.2},
}
ROOT_URLCONF = "tests.instrumentation.patterns.events.shop.urls"

gauges.FIRST_AFTER, gauges.ASK_EVERY = 0.0, 0.5  # a test has no minute to wait for the truth
