"""Management commands."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

COMMAND = Label("command", "Name of the management command. Ours.")
COMMAND_OUTCOME = Label("outcome", "How the command ended: `ok` with exit code 0. Ours.", ("ok", "error"))
PROCESS_EXIT_CODE = Label("process.exit.code", "What the command ended with; absent where it was interrupted.")
