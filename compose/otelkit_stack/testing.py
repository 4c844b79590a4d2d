"""The real stack on a free port, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from otelkit_stack.access import Access
from otelkit_stack.intake import Intake
from otelkit_stack.queries import Queries
from otelkit_stack.receiver.body import DEFAULT_LIMIT
from otelkit_stack.rules.engine import RuleEngine
from otelkit_stack.server import StackServer
from otelkit_stack.store import Store


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that listens."""

    url: str
    """Base address of page and APIs, without a slash at the end."""
    queries: Queries
    store: Store
    intake: Intake
    rules: RuleEngine

    @property
    def endpoint(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT takes; ``/v1/traces`` comes behind it."""
        return self.url

    def flush(self) -> None:
        """Wait until the queries see everything that was acknowledged so far."""
        self.store.flush()


@contextmanager
def running_stack(
    folder: Path, *, limit: int = DEFAULT_LIMIT, rules: Sequence[Path] = (), alertmanagers: Sequence[str] = (), access: Access | None = None
) -> Iterator[RunningStack]:
    """The real server in threads of this process, its database in the folder. It forgets nothing, so old times are welcome."""
    with StackServer(folder, 0, limit=limit, retention_s=None, rules=rules, alertmanagers=alertmanagers, access=access) as server:
        yield RunningStack(server.url, server.queries, server.store, server.intake, server.rules)
