from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=100)
    is_lent = models.BooleanField(default=False)

    def __str__(self):
        return self.title
