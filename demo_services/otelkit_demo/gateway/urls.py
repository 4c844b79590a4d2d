"""URLs of the gateway service."""

from django.urls import path, re_path

from otelkit_demo.chassis import probes
from otelkit_demo.gateway import accounts, page, token_views, views

urlpatterns = [
    path("", page.page, name="page"),
    path("api/status", page.Standings.as_view(), name="status"),
    path("api/products", views.Products.as_view(), name="products"),
    path("api/products/<slug:sku>", views.Product.as_view(), name="product"),
    re_path(r"^api/(?P<version>v[12])/checkout$", views.Checkout.as_view(), name="checkout"),
    path("api/orders/<uuid:reference>", views.Order.as_view(), name="order"),
    path("api/orders/<uuid:reference>/refund", views.Refund.as_view(), name="refund"),
    path("api/login", accounts.Logins.as_view(), name="login"),
    path("api/logout", accounts.Logouts.as_view(), name="logout"),
    path("oauth/token", token_views.Tokens.as_view(), name="token"),
    path(".well-known/jwks.json", token_views.PublicKeys.as_view(), name="jwks"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
