"""The gateway's signing keys: made when there is none, replaced when old, and published before they sign and after."""

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
PUBLISHED_BEFORE = timedelta(seconds=15)
"""How long a key is published before it signs: whoever verifies asks for keys that it does not know at most every ten seconds."""
PUBLISHED_FOR = timedelta(seconds=TOKEN_SECONDS + 60)
"""How long a key is published after the next one has taken over: longer than a token lives, and clocks differ."""


def current() -> SigningKey:
    """The key that signs now. Publishes the next one where there is none, or where the newest is old."""
    now = timezone.now()
    newest = SigningKey.objects.first()
    if newest is None or newest.created_at < now - ROTATE_AFTER:
        rotate()
    known = SigningKey.objects.filter(created_at__lte=now - PUBLISHED_BEFORE).first()
    # The very first ones sign at once, and of two that two threads made the older does: all threads then sign with one.
    return known or SigningKey.objects.order_by("created_at", "pk")[0]


def rotate() -> SigningKey:
    """A new key. It is published now, and signs once everybody may have heard of it."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey.objects.create(kid=uuid4().hex[:16], private=pem.decode(), created_at=timezone.now())


def published() -> dict[str, Any]:
    """The JSON Web Key Set (RFC 7517): the key that signs, and those before it whose tokens may still be about."""
    signing = current()
    oldest = timezone.now() - PUBLISHED_FOR - ROTATE_AFTER
    keys = [signing, *SigningKey.objects.filter(created_at__gt=oldest).exclude(pk=signing.pk)]  # the next one among them
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
