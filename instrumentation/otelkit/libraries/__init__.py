"""Libraries that are followed: one small file each, in the order they are switched on.

To add one: its fact in ``otelkit/catalog/libraries.py``, a file beside these, a line in ``LIBRARIES``, and a test of its name in
``tests/instrumentation/libraries/``.
"""

from __future__ import annotations

from otelkit.libraries import (
    aiohttp,
    celery,
    channels,
    django_cache,
    django_tasks,
    django_templates,
    httpx,
    kombu,
    ninja,
    pika,
    redis,
    requests,
    rest_framework,
    urllib3,
)
from otelkit.libraries.base import Library, Recording
from otelkit.libraries.following import follow_libraries
from otelkit.libraries.steps import Steps

__all__ = ["LIBRARIES", "Library", "Recording", "Steps", "follow_libraries"]

LIBRARIES: tuple[Library, ...] = (
    django_cache.LIBRARY,
    django_templates.LIBRARY,
    rest_framework.LIBRARY,
    ninja.LIBRARY,
    channels.LIBRARY,
    httpx.LIBRARY,
    requests.LIBRARY,
    urllib3.LIBRARY,
    aiohttp.LIBRARY,
    redis.LIBRARY,
    celery.LIBRARY,
    django_tasks.LIBRARY,
    django_tasks.BACKPORT,
    kombu.LIBRARY,
    pika.LIBRARY,
)
"""One for each fact, in the same order."""
