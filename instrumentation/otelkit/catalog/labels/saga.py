"""Sagas and their steps."""

from __future__ import annotations

from otelkit.catalog.labels.model import Label

SAGA = Label("saga", "Kind of saga, like `place_order`. Ours.")
SAGA_OUTCOME = Label("outcome", "How the saga ended. Ours.", ("ok", "compensated", "failed"))
SAGA_STATE = Label("state", "Where the saga stands. Ours.", ("running", "waiting", "compensating"))
SAGA_STEP = Label("step", "Step of the saga. Ours.")
SAGA_STEP_OUTCOME = Label("outcome", "How the step ended. Ours.", ("ok", "compensated", "failed"))
SAGA_STEP_DIRECTION = Label("saga.step.direction", "Whether the step was taken or taken back. Ours.", ("forward", "backward"))
