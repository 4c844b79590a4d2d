"""Makes otelkit one of a project's apps without a line in its ``INSTALLED_APPS``.

Django reads that list once, in ``apps.populate()``. We stand there and add ourselves in front, so the result is that of the line:
``ready()`` in its order, ``manage.py otelkit``, the checks. Nothing of Django is imported and no setting is read before Django does so.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from otelkit.importing import when_imported

if TYPE_CHECKING:
    from django.apps.registry import Apps

logger = logging.getLogger("otelkit")

_REGISTRY = "django.apps.registry"
_APP = "otelkit"

_TOO_EARLY = (
    "`import otelkit.auto` came while Django was loading its apps, so this process has no telemetry. "
    'Move it to the top of wsgi.py, asgi.py or manage.py, or add "otelkit" to INSTALLED_APPS.'
)


def join() -> None:
    """Adds otelkit to the apps as soon as Django loads them; starts it at once where they are loaded. Raises ConfigError, then."""
    registry = sys.modules.get(_REGISTRY)
    if registry is None:
        when_imported(_REGISTRY, join)
        return
    apps = getattr(registry, "apps", None)
    if apps is None:
        return  # it is being executed just now, and something in it imports us: nobody will ask again
    if apps.models_ready:
        _start_late(apps)
    elif apps.loading:
        logger.warning(_TOO_EARLY)
    else:
        _wait_for(apps)


def _wait_for(apps: Apps) -> None:
    """Django's next ``populate()`` finds otelkit among the apps. Once: when it is through, the method is Django's own again."""
    populate = apps.populate

    def populate_with_otelkit(installed_apps: Iterable[Any] | None = None) -> None:
        populate(_with_otelkit(apps, installed_apps or ()))
        if apps.ready and vars(apps).get("populate") is populate_with_otelkit:
            del apps.populate  # the instance's attribute; the class has the method

    apps.populate = populate_with_otelkit  # type: ignore[method-assign]


def _with_otelkit(apps: Apps, installed_apps: Iterable[Any]) -> Iterator[Any]:
    """The project's apps, and otelkit if it was not among them. Django has made each app's config before it asks for the next."""
    yield from installed_apps
    if _APP in _names(apps):
        return
    if _APP in apps.app_configs:
        logger.warning(
            'An app of the project has the label "otelkit", so ours cannot join: no telemetry. Give its AppConfig another label.'
        )
        return
    yield _APP
    # First, as README says of INSTALLED_APPS, so that the others' ready() is observed. Only now is it known that it was missing.
    configs = apps.app_configs
    ours = configs.pop(_APP)
    rest = dict(configs)
    configs.clear()
    configs[_APP] = ours
    configs.update(rest)


def _names(apps: Apps) -> set[str]:
    return {config.name for config in apps.app_configs.values()}


def _start_late(apps: Apps) -> None:
    if _APP in _names(apps):
        return  # its ready() starts it, or has done so
    from otelkit.launch import start_where_wanted

    start_where_wanted()
    startup = sys.modules.get("otelkit.startup")
    if startup is None or startup.current() is None:
        return
    try:
        if count := _load_middleware_again():
            logger.info(
                "The application was made before `import otelkit.auto`: the middleware of %d handlers was loaded again, to put ours in. "
                "Import it first to spare that.",
                count,
            )
    except Exception:
        logger.exception("otelkit cannot follow requests: the application was made before `import otelkit.auto`. Import it first.")


def _load_middleware_again() -> int:
    base = sys.modules.get("django.core.handlers.base")
    if base is None:
        return 0
    from asgiref.sync import iscoroutinefunction

    # By type(), never isinstance(): that would ask lazy objects for their class, and so evaluate them.
    handlers = [found for found in gc.get_objects() if issubclass(type(found), base.BaseHandler) and found._middleware_chain is not None]
    for handler in handlers:
        handler.load_middleware(is_async=iscoroutinefunction(handler._middleware_chain))
    return len(handlers)
