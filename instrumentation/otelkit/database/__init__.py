"""Database queries of every connection, alias and backend: span, duration, and the counts that show N+1.

Django's own ``execute_wrapper`` hook is used, so engines, drivers and pools stay as the project chose them, and results and exceptions
pass through untouched. What Django does not send through that hook is not seen: ``COPY``, ``callproc()``, the ``BEGIN`` and ``COMMIT``
that a driver sends by itself, and the fetches of a server-side cursor behind its first one.
"""

from otelkit.database.migrations import MigrationObserver
from otelkit.database.pools import PoolObserver
from otelkit.database.recorder import QueryRecorder
from otelkit.database.statements import Statement, parse_statement

__all__ = ["MigrationObserver", "PoolObserver", "QueryRecorder", "Statement", "parse_statement"]
