"""What the shop sells, so that a fresh database has something to show."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SHELVES = {"tea": "Tea", "ware": "Cups and pots", "tools": "Tools"}
GOODS = (
    ("tea-assam", "Assam, 100 g", "tea", 690, "Malty, strong, takes milk."),
    ("tea-sencha", "Sencha, 100 g", "tea", 1250, "Green, first flush."),
    ("cup-stoneware", "Stoneware cup", "ware", 1800, "Thrown by hand, each a little different."),
    ("kettle-copper", "Copper kettle, 1.2 l", "tools", 8900, "Whistles."),
    ("scale-pocket", "Pocket scale, 500 g", "tools", 2450, "A tenth of a gram."),
    ("tray-bamboo", "Bamboo tray", "ware", 3200, "For five cups."),
    ("teapot-signed", "Signed teapot, numbered", "ware", 24900, "Twenty-five were made."),
)


def fill(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    category, product = apps.get_model("catalog", "Category"), apps.get_model("catalog", "Product")
    shelves = {slug: category.objects.create(slug=slug, name=name) for slug, name in SHELVES.items()}
    product.objects.bulk_create(
        product(sku=sku, name=name, category=shelves[shelf], price=price, description=said) for sku, name, shelf, price, said in GOODS
    )


def empty(apps: Any, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("catalog", "Product").objects.filter(sku__in=[goods[0] for goods in GOODS]).delete()
    apps.get_model("catalog", "Category").objects.filter(slug__in=SHELVES).delete()


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(fill, empty)]
