from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kid", models.CharField(max_length=32, unique=True)),
                ("private", models.TextField(editable=False)),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
    ]
