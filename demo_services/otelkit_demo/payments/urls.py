"""URLs of the payments service."""

from otelkit_demo.chassis import probes

urlpatterns = [*probes.urls()]

handler400 = "otelkit_demo.chassis.problems.bad_request"
handler404 = "otelkit_demo.chassis.problems.not_found"
handler500 = "otelkit_demo.chassis.problems.server_error"
