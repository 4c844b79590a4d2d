"""URLs of the catalog service."""

from django.urls import path

from otelkit.patterns import health
from otelkit_demo.catalog import shelf, views
from otelkit_demo.chassis import probes

urlpatterns = [
    path("api/products", views.Products.as_view(), name="products"),
    path("api/products/<slug:sku>", views.OneProduct.as_view(), name="product"),
    *probes.urls(ready=[health.check("shelf", shelf.is_reachable)]),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
