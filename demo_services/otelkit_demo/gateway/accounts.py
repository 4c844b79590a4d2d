"""Customers who log in and out, by Django's own sessions."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from django.contrib.auth import authenticate, login, logout
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from otelkit_demo.gateway.serializers import Customer, Login

log = structlog.get_logger(__name__)


class Logins(APIView):
    """``POST /api/login``."""

    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "login"

    @extend_schema(request=Login, responses=Customer, operation_id="log_in")
    def post(self, request: Request) -> Response:
        """Who is logged in now; 401 for a name or a password that is wrong, and nobody learns which."""
        said = Login(data=request.data)
        said.is_valid(raise_exception=True)
        name, password = said.validated_data["username"], said.validated_data["password"]
        user = authenticate(request._request, username=name, password=password)
        if user is None:
            raise AuthenticationFailed("The name or the password is wrong.")
        login(request._request, user)
        get_token(request._request)  # the cookie that the next POST has to show
        log.info("customer logged in")
        return Response({"username": user.get_username()})

    def get_authenticate_header(self, _request: Request) -> str:
        """So that DRF answers 401, not 403: a session is shown by a cookie."""
        return 'Session realm="shop"'


class Logouts(APIView):
    """``POST /api/logout``."""

    @extend_schema(request=None, responses={204: None}, operation_id="log_out")
    def post(self, request: Request) -> Response:
        """Nobody is logged in any more."""
        logout(request._request)
        return Response(status=HTTPStatus.NO_CONTENT)
