"""URLs of the orders service."""

from django.urls import path

from otelkit_demo.chassis import probes
from otelkit_demo.orders import views

urlpatterns = [
    path("orders", views.Orders.as_view(), name="orders"),
    path("orders/<int:pk>", views.OneOrder.as_view(), name="order"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
