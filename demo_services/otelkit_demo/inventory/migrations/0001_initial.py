import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Stock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("available", models.PositiveIntegerField()),
                ("reserved", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name_plural": "stock",
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.UUIDField(editable=False, unique=True)),
                ("quantity", models.PositiveIntegerField()),
                ("reserved_at", models.DateTimeField(auto_now_add=True)),
                (
                    "stock",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="reservations", to="inventory.stock"),
                ),
            ],
        ),
    ]
