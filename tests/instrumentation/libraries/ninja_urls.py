"""An API by django-ninja, sync and async."""

from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI, Schema
from ninja.throttling import AnonRateThrottle, BaseThrottle

api = NinjaAPI(urls_namespace="otelkit-tests")


class Line(Schema):
    sku: str
    count: int


class Never(BaseThrottle):
    def allow_request(self, request: HttpRequest) -> bool:
        return False


@api.get("/lines/{pk}", response=Line)
def read_line(request: HttpRequest, pk: int) -> Line:
    return Line(sku="tea", count=pk)


@api.post("/lines/{pk}", response=Line)
def change_line(request: HttpRequest, pk: int, line: Line) -> Line:
    return line


@api.post("/async", response=Line)
async def make_line(request: HttpRequest, line: Line) -> Line:
    return line


@api.get("/throttled", throttle=AnonRateThrottle("1/d"))
def throttled(request: HttpRequest) -> str:
    return "pong"


@api.get("/never", throttle=[Never(), AnonRateThrottle("1/d")])
async def never(request: HttpRequest) -> str:
    return "pong"


@api.get("/boom")
def boom(request: HttpRequest) -> str:
    raise LookupError("its own")


urlpatterns = [path("api/", api.urls)]
