"""What a new OpenAPI document breaks for those who call by the old one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from otelkit_demo.manifest import SERVICES, Service
from otelkit_demo.pipeline.contracts import breaks, main

FOLDER = Path(__file__).parents[3] / "demo_services" / "otelkit_demo"

SHOP: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/orders": {
            "get": {
                "parameters": [{"in": "query", "name": "sku", "schema": {"type": "string"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
            },
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wish"}}}},
                "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}, "409": {}},
            },
        }
    },
    "components": {
        "schemas": {
            "Wish": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}, "gift": {"type": "boolean"}}},
            "Order": {"type": "object", "properties": {"id": {"type": "integer"}, "sku": {"type": "string"}}},
        }
    },
}
WISH, ORDER, POST, GET = ("components.schemas.Wish", "components.schemas.Order", "paths./orders.post", "paths./orders.get")


def changed(place: str, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(SHOP)
    node: Any = document
    for step in place.split("."):
        node = node[step]
    change(node)
    return document


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        ("paths./orders", lambda node: node.pop("get"), "GET /orders is gone."),
        (WISH, lambda node: node["required"].append("gift"), "POST /orders: gift must be sent now."),
        (GET, lambda node: node["parameters"][0].update(required=True), "GET /orders: the query parameter sku must be sent now."),
        (POST, lambda node: node["responses"].pop("201"), "POST /orders: it does not answer 201 any more."),
        (ORDER, lambda node: node["properties"].pop("sku"), "POST /orders: sku is gone from its answer 201."),
        (
            ORDER,
            lambda node: node["properties"]["id"].update(type="string"),
            "GET /orders: id was integer and is string when answered with 200.",
        ),
    ],
)
def test_what_callers_lose_is_named(place: str, change: Callable[[dict[str, Any]], object], said: str):
    assert said in [*breaks(SHOP, changed(place, change))]


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("paths", lambda node: node.update({"/refunds": {"post": {"responses": {"200": {}}}}})),
        (WISH, lambda node: node["properties"].update(note={"type": "string"})),
        (WISH, lambda node: node.update(required=[])),
        (ORDER, lambda node: node["properties"].update(placed_at={"type": "string"})),
        (GET, lambda node: node["parameters"].append({"in": "query", "name": "page", "schema": {"type": "integer"}})),
        (POST, lambda node: node["responses"].pop("409")),
    ],
)
def test_what_is_added_breaks_nobody(place: str, change: Callable[[dict[str, Any]], object]):
    assert [*breaks(SHOP, changed(place, change))] == []


def test_the_command_says_what_breaks_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    old, new = tmp_path / "old.json", tmp_path / "new.yaml"
    old.write_text(json.dumps(SHOP))
    new.write_text(yaml.safe_dump(changed("paths./orders", lambda node: node.pop("get"))))
    assert main([str(old), str(old)]) == 0
    assert main([str(old), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == ["Nothing breaks.", "GET /orders is gone."]
    assert main([str(old)]) == 2
    assert main([str(old), str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_contracts_of_the_shop_are_read_whole(service: Service):
    """Each operation of each document is understood, and losing it is noticed."""
    document = yaml.safe_load((FOLDER / service.name / "openapi.yaml").read_text())
    assert [*breaks(document, document)] == []
    operations = [(method, path) for path, item in document["paths"].items() for method in item]
    assert [*breaks(document, {"paths": {}})] == [f"{method.upper()} {path} is gone." for method, path in operations]
