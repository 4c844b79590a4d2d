"""The token endpoint (RFC 6749, client credentials) and the public keys (RFC 7517)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from otelkit_demo.gateway import keys
from otelkit_demo.gateway.issuing import RefusedError, issue


class Wish(serializers.Serializer[Any]):
    """What a service asks for."""

    grant_type = serializers.ChoiceField(["client_credentials"])
    client_id = serializers.CharField(max_length=40)
    client_secret = serializers.CharField(max_length=200)
    audience = serializers.CharField(max_length=40)
    scope = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Issued(serializers.Serializer[Any]):
    """A token, and for how many seconds it is good."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()


class Refusal(serializers.Serializer[Any]):
    """Why there is no token (RFC 6749, section 5.2)."""

    error = serializers.CharField()
    error_description = serializers.CharField()


class KeySet(serializers.Serializer[Any]):
    """A JSON Web Key Set."""

    keys = serializers.ListField(child=serializers.DictField())


class Tokens(APIView):
    """``POST /oauth/token``."""

    authentication_classes = ()
    throttle_classes = ()
    parser_classes = (FormParser,)

    @extend_schema(
        request={"application/x-www-form-urlencoded": Wish}, responses={200: Issued, 400: Refusal, 401: Refusal}, operation_id="issue_token"
    )
    def post(self, request: Request) -> Response:
        """A token for the audience. 400 or 401 with ``error`` as RFC 6749 names it."""
        wish = Wish(data=request.data)
        if not wish.is_valid():
            return Response({"error": "invalid_request", "error_description": f"Wrong or missing: {', '.join(wish.errors)}."}, status=400)
        asked = wish.validated_data
        try:
            token = issue(asked["client_id"], asked["client_secret"], asked["audience"], asked["scope"])
        except RefusedError as refused:
            return Response({"error": refused.code, "error_description": str(refused)}, status=refused.status)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": keys.TOKEN_SECONDS}
        return Response(answer, headers={"Cache-Control": "no-store"})


class PublicKeys(APIView):
    """``GET /.well-known/jwks.json``."""

    authentication_classes = ()
    throttle_classes = ()

    @extend_schema(responses=KeySet, operation_id="public_keys")
    def get(self, _request: Request) -> Response:
        """The keys that tokens are verified with."""
        return Response(keys.published(), headers={"Cache-Control": "public, max-age=60"})
