"""URLs of the notifications service."""

from django.urls import path

from otelkit_demo.chassis import probes
from otelkit_demo.notifications import views

urlpatterns = [
    path("api/notifications", views.Newest.as_view(), name="notifications"),
    path("stream", views.Stream.as_view(), name="stream"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
