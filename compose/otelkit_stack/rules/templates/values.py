"""What Prometheus puts into templates beside Go's own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otelkit_stack.go_template.values import Struct, Value, kind_of, shown
from otelkit_stack.go_text import general


@dataclass(frozen=True, slots=True)
class Sample(Struct):
    """A series of a query's answer."""

    labels: Mapping[str, str]
    value: float

    @property
    def kind(self) -> str:
        return "*template.sample"

    def field(self, name: str) -> Value:
        fields: dict[str, Value] = {"Labels": self.labels, "Value": self.value}
        return fields[name]

    def text(self) -> str:
        return f"&{{{shown(dict(self.labels))} {general(self.value)}}}"


@dataclass(frozen=True, slots=True)
class Data(Struct):
    """What ``.`` is at the beginning: fields, and nothing else."""

    fields: Mapping[str, Value]

    @property
    def kind(self) -> str:
        return "struct { " + "; ".join(f"{name} {kind_of(value)}" for name, value in self.fields.items()) + " }"

    def field(self, name: str) -> Value:
        return self.fields[name]

    def text(self) -> str:
        return "{" + " ".join(map(shown, self.fields.values())) + "}"
