"""Two customers to log in as, so that a fresh demo has somebody to buy something."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CUSTOMERS = ("ada", "grace")
PASSWORD = "tea-time"  # noqa: S105 - of customers who exist nowhere else


def invite(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    user = apps.get_model("auth", "User")
    user.objects.bulk_create(user(username=name, password=make_password(PASSWORD)) for name in CUSTOMERS)


def forget(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("auth", "User").objects.filter(username__in=CUSTOMERS).delete()


class Migration(migrations.Migration):
    dependencies = [("gateway", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(invite, forget)]
