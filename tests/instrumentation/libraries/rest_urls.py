"""An API by Django REST framework: what it serializes, refuses and throttles."""

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.decorators import api_view, throttle_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle, SimpleRateThrottle
from rest_framework.views import APIView


class Line(serializers.Serializer):
    sku = serializers.CharField(max_length=5)
    count = serializers.IntegerField(min_value=1)


class Order(serializers.Serializer):
    name = serializers.CharField()
    lines = Line(many=True)


class Orders(APIView):
    authentication_classes = ()

    def get(self, request: Request) -> Response:
        lines = [{"sku": f"sku-{number}", "count": 1} for number in range(20)]
        return Response(Order({"name": "tea", "lines": lines}).data)

    def post(self, request: Request) -> Response:
        order = Order(data=request.data)
        order.is_valid(raise_exception=True)
        return Response(order.data, status=201)


class Lenient(APIView):
    """Answers for itself, and lists what it was given."""

    authentication_classes = ()

    def post(self, request: Request) -> Response:
        lines = Line(data=request.data, many=True)
        return Response(lines.errors if not lines.is_valid() else lines.data, status=200)


class Refused(APIView):
    authentication_classes = ()

    def post(self, request: Request) -> Response:
        raise serializers.ValidationError({"a": ["x", "y"], "b": {"c": "z"}})


class Never(BaseThrottle):
    """A project's own, without a scope."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return False

    def wait(self) -> float:
        return 7.0


class OncePerTest(SimpleRateThrottle):
    scope = "once"
    rate = "1/day"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return str(request.query_params.get("who"))


SHARED = Never()


class Throttled(APIView):
    authentication_classes = ()

    def get_throttles(self) -> list[BaseThrottle]:
        chosen: dict[str, Any] = {"never": [SHARED], "once": [OncePerTest()], "both": [OncePerTest(), SHARED]}
        return list(chosen[self.request.query_params["throttle"]])

    def get(self, request: Request) -> Response:
        return Response("pong")


@api_view(["GET"])
@throttle_classes([ScopedRateThrottle])
def unscoped(request: Request) -> Response:
    return Response("pong")


urlpatterns = [
    path("orders", Orders.as_view()),
    path("lenient", Lenient.as_view()),
    path("refused", Refused.as_view()),
    path("throttled", Throttled.as_view()),
    path("unscoped", unscoped),
]
