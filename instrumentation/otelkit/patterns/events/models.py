"""What is stored: events on their way out, events on their way in, and how far each aggregate has come."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from otelkit.patterns.events.cloudevent import LONGEST_NAME

LONGEST_ERROR = 500


class OutboxState(models.TextChoices):
    """Where an event stands on its way out."""

    PENDING = "pending"
    PUBLISHED = "published"
    DEAD = "dead"


class OutboxEvent(models.Model):
    """An event, written in the transaction of the data that it tells of. Its number is the order in which it is sent."""

    event_id = models.CharField(max_length=LONGEST_NAME)
    source = models.CharField(max_length=LONGEST_NAME)
    type = models.CharField(max_length=LONGEST_NAME)
    subject = models.CharField(max_length=LONGEST_NAME, blank=True)
    data = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    destination = models.CharField(max_length=LONGEST_NAME)
    aggregate = models.CharField(max_length=LONGEST_NAME, blank=True)
    position = models.BigIntegerField(null=True)
    traceparent = models.CharField(max_length=64, blank=True)
    tracestate = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=OutboxState.choices, default=OutboxState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    """Only where the database cannot lock rows: until then one relay has the event, and the aggregate behind it."""
    leased_by = models.CharField(max_length=40, blank=True)
    published_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)

    class Meta:
        db_table = "otelkit_outbox"
        verbose_name = "outgoing event"
        constraints = (models.UniqueConstraint(fields=["source", "event_id"], name="otelkit_outbox_identity"),)
        indexes = (
            # What is published is the bulk of the table, and is never looked for by the relay.
            models.Index(fields=["aggregate", "id"], condition=models.Q(state="pending"), name="otelkit_outbox_pending"),
            models.Index(fields=["state", "created_at"], name="otelkit_outbox_state"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.event_id} to {self.destination}"


class OutboxStream(models.Model):
    """How many events one aggregate has had at one destination. Its row is locked from publish() to the commit: that is their order."""

    source = models.CharField(max_length=LONGEST_NAME)
    destination = models.CharField(max_length=LONGEST_NAME)
    aggregate = models.CharField(max_length=LONGEST_NAME)
    position = models.BigIntegerField(default=0)

    class Meta:
        db_table = "otelkit_outbox_stream"
        constraints = (models.UniqueConstraint(fields=["aggregate", "destination", "source"], name="otelkit_outbox_stream_key"),)

    def __str__(self) -> str:
        return f"{self.aggregate} at {self.destination}: {self.position}"


class InboxState(models.TextChoices):
    """What has become of an event that came in."""

    DONE = "done"
    WAITING = "waiting"
    """It came before its predecessor, for which it waits."""
    FAILED = "failed"
    """It will be tried again."""
    DEAD = "dead"


class InboxEvent(models.Model):
    """The mark that a consumer has had an event; with the event itself, as long as there is something left to do."""

    consumer = models.CharField(max_length=100)
    source = models.CharField(max_length=LONGEST_NAME)
    event_id = models.CharField(max_length=LONGEST_NAME)
    destination = models.CharField(max_length=LONGEST_NAME)
    aggregate = models.CharField(max_length=LONGEST_NAME, blank=True)
    position = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=InboxState.choices, default=InboxState.DONE)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    body = models.TextField(blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=LONGEST_ERROR, blank=True)

    class Meta:
        db_table = "otelkit_inbox"
        verbose_name = "incoming event"
        constraints = (models.UniqueConstraint(fields=["consumer", "source", "event_id"], name="otelkit_inbox_identity"),)
        indexes = (
            models.Index(fields=["consumer", "state", "due_at"], name="otelkit_inbox_due"),
            models.Index(fields=["consumer", "aggregate", "position"], name="otelkit_inbox_order"),
        )

    def __str__(self) -> str:
        return f"{self.event_id} for {self.consumer}: {self.state}"


class InboxStream(models.Model):
    """How far a consumer has come with one aggregate of one source. Its row is locked while an event of it is worked on."""

    consumer = models.CharField(max_length=100)
    source = models.CharField(max_length=LONGEST_NAME)
    destination = models.CharField(max_length=LONGEST_NAME)
    aggregate = models.CharField(max_length=LONGEST_NAME)
    position = models.BigIntegerField(default=0)

    class Meta:
        db_table = "otelkit_inbox_stream"
        constraints = (models.UniqueConstraint(fields=["consumer", "aggregate", "destination", "source"], name="otelkit_inbox_stream_key"),)

    def __str__(self) -> str:
        return f"{self.consumer} of {self.aggregate} at {self.destination}: {self.position}"
