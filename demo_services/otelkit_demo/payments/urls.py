"""URLs of the payments service."""

from django.urls import path

from otelkit_demo.chassis import probes
from otelkit_demo.payments import views

urlpatterns = [
    path("payments", views.Payments.as_view(), name="payments"),
    path("payments/<uuid:pk>", views.OnePayment.as_view(), name="payment"),
    path("payments/<uuid:pk>/capture", views.Capture.as_view(), name="capture"),
    path("payments/<uuid:pk>/void", views.Void.as_view(), name="void"),
    path("payments/<uuid:pk>/refund", views.Refund.as_view(), name="refund"),
    *probes.urls(),
]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
