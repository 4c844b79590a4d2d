"""``import otelkit.auto``: the line in ``INSTALLED_APPS`` without the line, for a project whose settings cannot be changed.

    # wsgi.py, asgi.py or manage.py, first
    import otelkit.auto

``otelkit run`` and ``opentelemetry-instrument`` import it too. Beside the line it changes nothing.
"""

from otelkit.app_registry import join

join()
