"""A project whose URLs depend on the request."""

from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("tenant/<int:number>", lambda request, number: HttpResponse("tenant"))]


class TenantMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.urlconf = "tests.instrumentation.tenants"
        return self.get_response(request)
