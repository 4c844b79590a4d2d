"""One process with one subject: ``python -m tests.benchmarks.worker KEY`` answers requests as often as it is told.

With ``--count N`` it answers N requests and ends, which is what callgrind counts. Without, each line of standard input is a number of
requests; for each it prints one JSON line with the nanoseconds of processor time they took: ``request`` in the thread that answers,
``process`` in all threads, until everything recorded has been sent.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import process_time_ns, thread_time_ns
from typing import Any

from tests.benchmarks.project import request_once
from tests.benchmarks.subjects import SUBJECTS, Flush, Subject


def prepare(subject: Subject) -> tuple[Callable[..., Any], Flush]:
    """The application, observed, and how to flush the observer."""
    import django
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    settings.configure(**subject.project())
    django.setup()
    flush = subject.observe()
    return WSGIHandler(), flush


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=[subject.key for subject in SUBJECTS])
    parser.add_argument("--count", type=int)
    arguments = parser.parse_args()
    random.seed(1)  # the same requests of a run are sampled each time
    channel = sys.stdout
    with Path(os.devnull).open("w") as null:
        sys.stdout = null  # access lines are written, and go nowhere
        application, flush = prepare(next(subject for subject in SUBJECTS if subject.key == arguments.subject))
        if arguments.count is not None:
            for _ in range(arguments.count):
                request_once(application)
            # In a thread of its own, where callgrind tells it from the requests: upstream exports in the thread that flushes.
            flushing = Thread(target=flush)
            flushing.start()
            flushing.join()
            return
        for line in sys.stdin:
            process_before, thread_before = process_time_ns(), thread_time_ns()
            for _ in range(int(line)):
                request_once(application)
            answered = thread_time_ns()
            flush()
            taken = {"request": answered - thread_before, "process": process_time_ns() - process_before}
            print(json.dumps(taken), file=channel, flush=True)


if __name__ == "__main__":
    main()
