from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_fill_the_shelf")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="state",
            field=models.CharField(
                choices=[("held", "Held"), ("committed", "Committed"), ("released", "Released")],
                default="held",
                max_length=9,
            ),
        ),
    ]
