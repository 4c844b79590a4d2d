"""URLs of the inventory service."""

from django.urls import path

from otelkit_demo.chassis import probes
from otelkit_demo.inventory import views

urlpatterns = [
    path("stock/<slug:sku>", views.OneStock.as_view(), name="stock"),
    path("reservations", views.Reservations.as_view(), name="reservations"),
    path("reservations/<uuid:pk>", views.OneReservation.as_view(), name="reservation"),
    path("reservations/<uuid:pk>/commit", views.Commit.as_view(), name="commit"),
    path("reservations/<uuid:pk>/release", views.Release.as_view(), name="release"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
