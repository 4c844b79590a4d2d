"""One process with one subject: ``python -m tests.benchmarks.worker KEY`` works as often as it is told.

With ``--count`` it works as often as its work says, between marks for callgrind, and ends. Without, each line of standard input is a
number of steps; for each it prints one JSON line with the nanoseconds of processor time they took: ``step`` in the thread that worked,
``process`` in all threads, until everything recorded has been sent.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from time import process_time_ns, sleep, thread_time_ns
from typing import NoReturn

from tests.benchmarks.subjects import SUBJECTS, Flush, Subject
from tests.benchmarks.works import Supply


def observed(subject: Subject) -> Flush:
    """Sets Django up with this observer. What comes back flushes it."""
    import django
    from django.conf import settings

    settings.configure(**subject.project())
    django.setup()
    return subject.observe()


def count(supply: Supply, flush: Flush, before: int, counted: int) -> NoReturn:
    """Does the work, and then sends what was recorded, between marks that callgrind is told to look for; and ends the process."""
    step = supply(range(before + counted))
    for number in range(before):
        step(number)
    flush()
    gc.collect()
    gc.freeze()  # a full collection walks through the whole program, once in some hundred requests: whether it came would be the result
    switch_on = subprocess.Popen(["callgrind_control", "--instr=on", str(os.getpid())], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while switch_on.poll() is None:
        sleep(0.01)  # not wait(): callgrind hears the command only while it has something to do
    if switch_on.returncode != 0:
        assert switch_on.stderr is not None
        raise RuntimeError(f"callgrind did not begin to count: {switch_on.stderr.read().decode()}")
    os.getloadavg()
    for number in range(before, before + counted):
        step(number)
    os.getloadavg()
    flush()
    os.getloadavg()
    os._exit(0)  # what other threads do when the process ends is no part of it


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=[subject.key for subject in SUBJECTS])
    parser.add_argument("--count", action="store_true")
    arguments = parser.parse_args()
    random.seed(1)  # the same requests of a run are sampled each time
    channel = sys.stdout
    with Path(os.devnull).open("w") as null:
        sys.stdout = null  # log lines are written, and go nowhere
        subject = next(subject for subject in SUBJECTS if subject.key == arguments.subject)
        flush = observed(subject)
        supply = subject.work.prepare()
        if arguments.count:
            count(supply, flush, *subject.work.counts)
        done = 0
        for line in sys.stdin:
            steps = range(done, done + int(line))
            step = supply(steps)
            process_before, thread_before = process_time_ns(), thread_time_ns()
            for number in steps:
                step(number)
            worked = thread_time_ns()
            flush()
            taken = {"step": worked - thread_before, "process": process_time_ns() - process_before}
            done = steps.stop
            print(json.dumps(taken), file=channel, flush=True)


if __name__ == "__main__":
    main()
