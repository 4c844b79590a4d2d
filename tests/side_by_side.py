"""How files are dealt out to the processes of one run."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling


class Files(LoadFileScheduling):
    """Each file to one process. Where a process dies, the test that it was at has failed, and what is left of its files goes to another.

    pytest-xdist 3.8 deals out that test again, and files that were through, for which it then waits for ever.
    """

    def remove_node(self, node: Any) -> str | None:
        """The test at which the process died, None where it was through."""
        crashed = None
        for file, tests in self.assigned_work.pop(node).items():
            left = [test for test, is_done in tests.items() if not is_done]
            if left and crashed is None:
                crashed = left.pop(0)
                tests[crashed] = True
            if left:
                self.workqueue[file] = tests
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Ours, where a run is by files."""
    return Files(config, log) if config.getoption("dist") == "loadfile" else None
