"""Log records that hold what LogQL can ask for: JSON, logfmt, plain text, colours, broken lines, maps, attributes of every type."""

from __future__ import annotations

import json
import random

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.stack.otlp_requests import any_value, key_values

SECOND_NS = 1_000_000_000
_SEVERITIES = {0: "", 5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"}


def logs_of_two_services(start_ns: int) -> ExportLogsServiceRequest:
    """Sixty records, one a second from ``start_ns``, of ``orders`` and ``inventory``; the same ones every time."""
    chance = random.Random(1)
    request = ExportLogsServiceRequest()
    scopes = []
    for service in ("orders", "inventory"):
        resource = request.resource_logs.add()
        attributes = {"service.name": service, "service.namespace": "shop", "deployment.environment.name": "test", "service.version": "1.2"}
        resource.resource.attributes.extend(key_values({**attributes, "process.pid": 12, "host.name": "h"}))
        scope = resource.scope_logs.add()
        scope.scope.name, scope.scope.version = "app.views", "2"
        scope.scope.attributes.extend(key_values({"s.a": "1"}))
        scopes.append(scope)
    for number in range(60):
        scopes[number % 2].log_records.append(_record(number, start_ns, chance))
    return request


def _record(number: int, start_ns: int, chance: random.Random) -> LogRecord:
    body, attributes = _line(number, chance)
    severity = chance.choice([0, 5, 9, 9, 9, 13, 17])
    record = LogRecord(
        time_unix_nano=start_ns + number * SECOND_NS + chance.randrange(10**8),
        observed_time_unix_nano=start_ns + number * SECOND_NS + 7,
        severity_number=severity,
        severity_text=_SEVERITIES[severity],
        body=any_value(body),
    )
    record.attributes.extend(key_values(attributes))
    if number % 3 == 0:
        record.trace_id, record.span_id, record.flags = bytes.fromhex("0af7651916cd43dd8448eb211c80319c"), b"\x01" * 8, 1
    if number % 5 == 0:
        record.event_name = "http.request"
    return record


def _line(number: int, chance: random.Random) -> tuple[object, dict[str, object]]:
    took, status = f"{chance.randrange(900)}ms", chance.choice([200, 404, 500])
    match number % 6:
        case 0:
            fields = {
                "level": chance.choice(["info", "error"]),
                "status": status,
                "took": took,
                "size": f"{chance.randrange(90)}KB",
                "nested": {"a": number, "b": {"c": True}},
                "list": [1, 2],
                "trace_id": "x",
                "null": None,
                "1st": "one",
                "ratio": 0.5,
            }
            return json.dumps(fields), {"http.route": "/orders/{pk}", "duration_ms": number * 1.5}
        case 1:
            line = f'level=warn method=GET path="/a b" took={took} status={status} empty= flag broken"x'
            return line, {"http.route": "/x", "n": number}
        case 2:
            return f"192.168.0.{number} - GET /orders/{number} took {number}ms ERROR boom", {}
        case 3:
            return f"plain line number {number} \x1b[31mred\x1b[0m", {"user": f"u{number % 2}", "ok": True, "n": number}
        case 4:
            return '{"broken": ', {}
        case _:
            return {"map": {"k": number}}, {"deep": {"x": {"y": 1}}, "arr": [1, "a"]}
