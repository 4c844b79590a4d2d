"""Reading the catalogue: from the process's cache, and from the database where that does not know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet

from otelkit_demo.catalog.models import Product
from otelkit_demo.catalog.serializers import ProductOut
from otelkit_demo.chassis import flags
from otelkit_demo.chassis.caching import cache_key

PAGE = 20


def page(search: str, number: int) -> dict[str, Any]:
    """A page of products whose name or description holds the words. The last page for a number beyond it."""
    if flags.hits("catalog.nplusone"):
        # The fault: somebody lost the join, and each product asks for its category; the cache would hide it.
        return _page(search, number, Product.objects.all())
    found: dict[str, Any] = _cached(
        f"page.{number}.{search.lower()}", lambda: _page(search, number, Product.objects.select_related("category"))
    )
    return found


def product(sku: str) -> dict[str, Any] | None:
    """One product, or None."""
    found: dict[str, Any] | None = _cached(f"product.{sku}", lambda: _product(sku))
    return found


def is_reachable() -> bool:
    """Whether the catalogue can be read: what its readiness probe asks, and what a fault can deny."""
    return not flags.hits("readyz.fail")


def _cached(name: str, read: Any) -> Any:
    configured: Any = settings
    if flags.hits("catalog.cache_off"):
        return read()
    key = cache_key("catalog", name)
    # In a list, so that what is known not to exist is told from what is not known.
    known = cache.get(key)
    if known is None:
        known = [read()]
        cache.set(key, known, configured.CACHE_SECONDS)
    return known[0]


def _page(search: str, number: int, products: QuerySet[Product]) -> dict[str, Any]:
    for word in search.split():
        products = products.filter(Q(name__icontains=word) | Q(description__icontains=word))
    pages = Paginator(products, PAGE)
    found = pages.get_page(number)
    return {
        "count": pages.count,
        "page": found.number,
        "pages": pages.num_pages,
        "results": ProductOut(list(found.object_list), many=True).data,
    }


def _product(sku: str) -> dict[str, Any] | None:
    found = Product.objects.select_related("category").filter(sku=sku).first()
    return None if found is None else dict(ProductOut(found).data)
