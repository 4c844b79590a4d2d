"""What the shop sells, and what it costs. Whether there is any is inventory's business."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Category(models.Model):
    """A shelf with a name."""

    slug = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80)

    objects: ClassVar[models.Manager[Category]] = models.Manager()

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """One thing to buy. Its price is in cents."""

    sku = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80, db_index=True)
    description = models.CharField(max_length=300, blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    price = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="EUR")

    objects: ClassVar[models.Manager[Product]] = models.Manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.sku}: {self.name}"
