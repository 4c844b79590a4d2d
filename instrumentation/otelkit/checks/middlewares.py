"""Checks of the middleware list, and of what async projects pay."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.module_loading import import_string

from otelkit.checks.check import Finding, Project, check
from otelkit.startup import MIDDLEWARE, VIEW_MIDDLEWARE


def _listed(project: Project) -> list[str]:
    return [str(name) for name in project.settings.MIDDLEWARE]


@check("E002")
def listed_twice(project: Project) -> Iterator[Finding]:
    """The kit's middleware is listed more than once: every request would be two."""
    times = _listed(project).count(MIDDLEWARE)
    if times > 1:
        yield Finding(
            f'"{MIDDLEWARE}" is {times} times in MIDDLEWARE.',
            "Take it out: otelkit puts itself first. By hand it may be listed once, in the first place.",
        )


@check("E003")
def not_listed_first(project: Project) -> Iterator[Finding]:
    """The kit's middleware is listed by hand below others: what those answer themselves is invisible, and their time is not measured."""
    listed = _listed(project)
    above = listed[: listed.index(MIDDLEWARE)] if MIDDLEWARE in listed else []
    if above:
        yield Finding(
            f'"{MIDDLEWARE}" is in place {len(above) + 1} of MIDDLEWARE, below {", ".join(above)}: what they answer is not seen.',
            "Take it out: otelkit puts itself first. Or move it to the first place.",
        )


@check("W030")
def sync_only_under_asgi(project: Project) -> Iterator[Finding]:
    """A middleware without async support, in a project that serves ASGI: each request changes to a thread and back for it."""
    if not project.serves_asgi:
        return
    slow = [name for name in _listed(project) if name not in (MIDDLEWARE, VIEW_MIDDLEWARE) and _is_sync_only(name)]
    if slow:
        yield Finding(
            f"Under ASGI each request changes to a thread and back for {', '.join(slow)} in MIDDLEWARE, which cannot be awaited.",
            "Use versions with async_capable = True (django.utils.decorators.sync_and_async_middleware), or take them out.",
        )


def _is_sync_only(name: str) -> bool:
    try:
        middleware = import_string(name)
    except Exception:  # noqa: BLE001  (Django says it itself, when it makes its handler)
        return False
    return not getattr(middleware, "async_capable", False)


@check("W031")
def queries_on_the_event_loop(project: Project) -> Iterator[Finding]:
    """DJANGO_ALLOW_ASYNC_UNSAFE in a project that serves ASGI: a query holds up every request of its worker.
    The times of requests then measure one another."""
    if project.serves_asgi and project.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        yield Finding(
            "DJANGO_ALLOW_ASYNC_UNSAFE is set, so a query in async code stops the event loop, and every request of the worker with it.",
            "Take it away, and use the async ORM (aget, acreate, `async for`) or sync_to_async; it is meant for notebooks.",
        )


CHECKS = (listed_twice, not_listed_first, sync_only_under_asgi, queries_on_the_event_loop)
