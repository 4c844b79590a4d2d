from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="customer",
            field=models.CharField(blank=True, max_length=150, default=""),
            preserve_default=False,
        ),
        migrations.AddField(model_name="order", name="unit_price", field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name="order", name="currency", field=models.CharField(default="EUR", max_length=3)),
        migrations.AddField(
            model_name="order",
            name="reason",
            field=models.CharField(blank=True, max_length=300, default=""),
            preserve_default=False,
        ),
        migrations.AddField(model_name="order", name="payment", field=models.UUIDField(editable=False, null=True)),
        migrations.AlterField(
            model_name="order",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("placed", "Placed"),
                    ("rejected", "Rejected"),
                    ("failed", "Failed"),
                    ("refunded", "Refunded"),
                ],
                default="pending",
                max_length=8,
            ),
        ),
    ]
