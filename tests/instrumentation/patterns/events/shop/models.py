"""What events do here, countable."""

from django.db import models


class Effect(models.Model):
    """One row for each time that a handler ran to its end; its number says in which order."""

    consumer = models.CharField(max_length=20)
    aggregate = models.CharField(max_length=20)
    position = models.IntegerField()

    class Meta:
        app_label = "shop"

    def __str__(self) -> str:
        return f"{self.consumer} {self.aggregate} {self.position}"
