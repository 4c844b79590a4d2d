import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "verbose_name_plural": "categories",
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.SlugField(max_length=32, unique=True)),
                ("name", models.CharField(db_index=True, max_length=80)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("price", models.PositiveIntegerField()),
                ("currency", models.CharField(default="EUR", max_length=3)),
                (
                    "category",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="products", to="catalog.category"),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
    ]
