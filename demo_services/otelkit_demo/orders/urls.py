"""URLs of the orders service."""

from django.urls import path

from otelkit_demo.chassis import probes
from otelkit_demo.orders import views_v1, views_v2

urlpatterns = [
    path("api/v1/orders", views_v1.Orders.as_view(), name="v1-orders"),
    path("api/v1/orders/<int:pk>", views_v1.OneOrder.as_view(), name="v1-order"),
    path("api/v2/orders", views_v2.Orders.as_view(), name="v2-orders"),
    path("api/v2/orders/<uuid:reference>", views_v2.OneOrder.as_view(), name="v2-order"),
    path("api/v2/orders/<uuid:reference>/refund", views_v2.Refund.as_view(), name="v2-refund"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
