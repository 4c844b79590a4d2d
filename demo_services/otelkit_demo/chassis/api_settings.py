"""Settings of Django REST framework and of its schema that the shop's services have alike: JSON only, tokens, limits, problem bodies.

It imports neither: both read the settings when they are imported, and would find those that are still being read.
"""

from __future__ import annotations

from typing import Any


def rest_framework(*, rate: str = "600/second") -> dict[str, Any]:
    """``REST_FRAMEWORK`` of a service. ``rate`` is how often one caller may come."""
    return {
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["otelkit_demo.chassis.parsers.JSONParser"],
        "DEFAULT_AUTHENTICATION_CLASSES": ["otelkit_demo.chassis.tokens.ServiceToken"],
        "DEFAULT_PERMISSION_CLASSES": ["otelkit_demo.chassis.tokens.HasScope"],
        "DEFAULT_THROTTLE_CLASSES": ["otelkit_demo.chassis.throttles.PerCaller"],
        "DEFAULT_THROTTLE_RATES": {"caller": rate},
        "DEFAULT_SCHEMA_CLASS": "otelkit_demo.chassis.schema.Schema",
        "EXCEPTION_HANDLER": "otelkit_demo.chassis.api.as_problem",
        "UNAUTHENTICATED_USER": None,
        "NUM_PROXIES": 0,
    }


def spectacular(title: str, version: str) -> dict[str, Any]:
    """``SPECTACULAR_SETTINGS`` of a service."""
    return {
        "TITLE": title,
        "VERSION": version,
        "SERVE_INCLUDE_SCHEMA": False,
        "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "otelkit_demo.chassis.schema.add_problems",
        ],
    }
