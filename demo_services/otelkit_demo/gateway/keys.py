"""The gateway's signing keys: made when there is none, replaced when the newest is old, published while a token may need them."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone
from jwt.algorithms import OKPAlgorithm

from otelkit_demo.gateway.models import SigningKey

TOKEN_SECONDS = 300
ROTATE_AFTER = timedelta(seconds=float(os.environ.get("ROTATE_KEYS_AFTER", "3600")))
PUBLISHED_FOR = timedelta(seconds=TOKEN_SECONDS + 60)
"""How long a key is published after the next one has taken over: longer than a token lives, and clocks differ."""


def current() -> SigningKey:
    """The key that signs now; a new one where there is none, or where the newest is old."""
    newest = SigningKey.objects.first()
    if newest is not None and newest.created_at > timezone.now() - ROTATE_AFTER:
        return newest
    return rotate()


def rotate() -> SigningKey:
    """A new key, which signs from now on."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey.objects.create(kid=uuid4().hex[:16], private=pem.decode(), created_at=timezone.now())


def published() -> dict[str, Any]:
    """The JSON Web Key Set (RFC 7517): the key that signs, and those before it whose tokens may still be about."""
    signing = current()
    oldest = timezone.now() - PUBLISHED_FOR - ROTATE_AFTER
    keys = [signing, *SigningKey.objects.filter(created_at__gt=oldest).exclude(pk=signing.pk)]
    return {"keys": [_public(key) for key in keys]}


def sign(claims: dict[str, Any]) -> str:
    """The claims as a token."""
    key = current()
    return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.kid})


def _public(key: SigningKey) -> dict[str, Any]:
    private = serialization.load_pem_private_key(key.private.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    public: dict[str, Any] = json.loads(OKPAlgorithm.to_jwk(private.public_key()))
    return {**public, "kid": key.kid, "use": "sig", "alg": "EdDSA"}
