"""Writes samples for ever and says what was flushed: to be killed by a test.  python -m tests.stack.metrics.killed_writer FOLDER FIRST"""

from __future__ import annotations

import sys
from pathlib import Path

from otelkit_stack import store
from tests.stack.metrics.samples import batch_of

store.UPKEEP_INTERVAL_S = 0.05  # a checkpoint in nearly every second, so that kills hit those too
first = int(sys.argv[2])
with store.Store(Path(sys.argv[1]), commit_interval_s=0.01, retention_s=None) as writing:
    for number in range(first, first + 1_000_000):
        writing.submit(batch_of({"up": [(number, float(number))], "down": [(number, -float(number))]}))
        writing.flush()
        print(number, flush=True)
