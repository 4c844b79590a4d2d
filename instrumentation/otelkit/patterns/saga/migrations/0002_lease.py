import django.core.serializers.json
from django.db import migrations, models


class Migration(migrations.Migration):
    """All may be null, so that processes of the version before can go on writing rows while the new one is rolled out."""

    dependencies = [("otelkit_saga", "0001_initial")]

    operations = [
        migrations.AddField("sagarun", "leased_until", models.DateTimeField(null=True)),
        migrations.AddField("sagarun", "leased_by", models.UUIDField(null=True)),
        migrations.AddField("sagarun", "answer", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
    ]
