"""What browsers send to the gateway, and what they get."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class Basket(serializers.Serializer[Any]):
    """What somebody wants to buy."""

    sku = serializers.SlugField(max_length=32)
    quantity = serializers.IntegerField(min_value=1, max_value=100)


class Login(serializers.Serializer[Any]):
    """Who somebody says to be."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=200, trim_whitespace=False)


class Customer(serializers.Serializer[Any]):
    """Who is logged in."""

    username = serializers.CharField()


class Search(serializers.Serializer[Any]):
    """What is asked of the catalogue; the catalogue itself says what is wrong with it."""

    search = serializers.CharField(required=False, max_length=100)
    page = serializers.CharField(required=False, max_length=10)


class Standing(serializers.Serializer[Any]):
    """One service as the page shows it."""

    name = serializers.CharField()
    ready = serializers.BooleanField()
    breaker = serializers.CharField(allow_blank=True)


class Status(serializers.Serializer[Any]):
    """All services."""

    services = Standing(many=True)
