"""Seeds the shelf, so that a fresh database can sell."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PLENTY = 1_000_000
GOODS = (
    ("tea-assam", "Assam, 100 g", PLENTY),
    ("tea-sencha", "Sencha, 100 g", PLENTY),
    ("cup-stoneware", "Stoneware cup", PLENTY),
    ("kettle-copper", "Copper kettle, 1.2 l", PLENTY),
    ("scale-pocket", "Pocket scale, 500 g", PLENTY),
    ("tray-bamboo", "Bamboo tray", PLENTY),
    # Few on purpose: it sells out within minutes, and then 409 is seen beside 201.
    ("teapot-signed", "Signed teapot, numbered", 25),
)


def fill(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    stock = apps.get_model("inventory", "Stock")
    stock.objects.bulk_create(stock(sku=sku, name=name, available=available) for sku, name, available in GOODS)


def empty(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("inventory", "Reservation").objects.all().delete()
    apps.get_model("inventory", "Stock").objects.filter(sku__in=[sku for sku, _name, _available in GOODS]).delete()


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [migrations.RunPython(fill, empty)]
