"""Django REST framework, as a project uses it: a viewset behind a router, a class and a function."""

from django.contrib.auth.models import User
from django.urls import path
from rest_framework.authentication import BaseAuthentication
from rest_framework.decorators import action, api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet


class Things(ViewSet):
    authentication_classes = ()

    def list(self, request: Request) -> Response:
        return Response([])

    def retrieve(self, request: Request, pk: str, format: str | None = None) -> Response:
        return Response({"pk": pk})

    def create(self, request: Request) -> Response:
        raise ValidationError({"name": "is missing"})

    @action(detail=True, methods=["post"])
    def ship(self, request: Request, pk: str) -> Response:
        return Response({"shipped": pk})


class Known(BaseAuthentication):
    """Everybody is user 41, without a query."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        return User(pk=41), None


class Status(APIView):
    authentication_classes = (Known,)

    def get(self, request: Request) -> Response:
        return Response({"ok": True})


@api_view(["GET"])
def ping(request: Request) -> Response:
    return Response("pong")


router = DefaultRouter()
router.register("things", Things, basename="thing")
urlpatterns = [*router.urls, path("status", Status.as_view()), path("ping", ping)]
