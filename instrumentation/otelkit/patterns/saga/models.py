"""Where each saga stands."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

LONGEST_ERROR = 500


class State(models.TextChoices):
    """What a saga is at."""

    RUNNING = "running"
    WAITING = "waiting"
    """For an answer from outside."""
    COMPENSATING = "compensating"
    OK = "ok"
    COMPENSATED = "compensated"
    FAILED = "failed"
    """A compensation failed for good: somebody has to look."""


ACTIVE = (State.RUNNING, State.WAITING, State.COMPENSATING)


class SagaRun(models.Model):
    """One saga. What its steps have to tell each other is in ``data``."""

    saga = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    step = models.CharField(max_length=100, blank=True)
    """The step that is next, or that waits."""
    done = models.JSONField(default=list)
    """Names of the steps that may have had an effect and are not compensated, in order."""
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    """When the sweeper takes it up, if nobody else has gone on with it."""
    leased_until = models.DateTimeField(null=True)
    """Until then one process has the saga, and nobody else touches it."""
    leased_by = models.UUIDField(null=True)
    """What that process alone knows, so that one that comes back late does not overwrite what its successor did."""
    answer = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    """An answer that came before the step that waits for it said so."""
    deadline = models.DateTimeField()
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)
    traceparent = models.CharField(max_length=64, blank=True)
    tracestate = models.CharField(max_length=512, blank=True)

    class Meta:
        db_table = "otelkit_saga"
        constraints = (models.UniqueConstraint(fields=["saga", "key"], name="otelkit_saga_key"),)
        indexes = (models.Index(fields=["state", "due_at"], name="otelkit_saga_due"),)

    def __str__(self) -> str:
        return f"{self.saga} {self.key}: {self.state}"
