"""What a process does for itself alone: it begins, in a slot of its own; and what its child forgets."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from otelkit.identity import Slot, instance_attributes, resource_attributes, service_name
from otelkit.metrics import user_instruments
from otelkit.servers import UNKNOWN, Server, recognise

if TYPE_CHECKING:
    from otelkit.startup import Runtime


def wait(runtime: Runtime, server: Server) -> None:
    """Lets the process wait for the first occasion to begin (see :mod:`otelkit.presence`)."""
    use = runtime.presence.use
    runtime.exporter.wait(use)
    runtime.aggregator.wait(use)
    runtime.presence.wait(server)
    user_instruments.wait(use)


def begin(runtime: Runtime) -> None:
    """Takes a slot, and starts what runs beside the application."""
    if runtime.pid != os.getpid():  # forked past every hook
        _forget(runtime, by_python=False)
    config = runtime.config
    runtime.aggregator.begin()
    runtime.slot = Slot(service_name(config.service))
    runtime.resource |= instance_attributes(config.service, runtime.slot)  # the same object: the exporter and others read it
    if runtime.log_wiring is not None:
        runtime.log_wiring.rename()
    if runtime.pull is not None:
        runtime.pull.begin(runtime.resource, runtime.slot.number)
    if "otlp" in {*config.traces.exporters, *config.metrics.exporters, *config.logs.exporters}:
        runtime.exporter.start()


def become_child(runtime: Runtime, *, by_python: bool) -> None:
    """Just after a fork: everything is as before the first occasion again. ``by_python`` says whether Python's own hooks were called."""
    if runtime.pid == os.getpid() and runtime.presence.has_begun:
        return  # no child: uWSGI calls for its first worker, too
    # The child of a process that has begun works for that one; only one that waits is forked by its server.
    server = UNKNOWN if runtime.presence.has_begun else recognise()
    _forget(runtime, by_python=by_python)
    wait(runtime, server)


def leave_slot(runtime: Runtime) -> None:
    """Lets the next process have the slot."""
    if runtime.slot is not None:
        runtime.slot.release()
        runtime.slot = None


def _forget(runtime: Runtime, *, by_python: bool) -> None:
    """What was recorded so far is the parent's, and so is the slot."""
    runtime.pid = os.getpid()
    if not by_python:
        random.seed()  # or every worker would give its traces the same ids
        user_instruments.renew()
    leave_slot(runtime)  # only this process's copy of the lock; the parent keeps its own
    runtime.resource.clear()
    runtime.resource |= resource_attributes(runtime.config.service)
    if runtime.log_wiring is not None:
        runtime.log_wiring.rename()
    runtime.aggregator.reset()
    runtime.exporter.after_fork_in_child()
    if runtime.pull is not None:
        runtime.pull.after_fork_in_child()
