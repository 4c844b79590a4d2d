"""The labels of a series: its own attributes, and what its resource lends it.

Source: ``createAttributes`` and ``addResourceTargetInfo`` of Prometheus 3's OTLP receiver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from otelkit.catalog.labels import PROMOTED, SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE
from otelkit_stack.prometheus_naming import label_name, label_value

_IDENTIFYING = {SERVICE_NAME.name, SERVICE_NAMESPACE.name, SERVICE_INSTANCE_ID.name}
_PROMOTED = {label.name for label in PROMOTED}


@dataclass(frozen=True, slots=True)
class ResourceLabels:
    """What a resource adds to each of its series: promoted attributes, ``job`` and ``instance``."""

    identity: dict[str, str]
    promoted: dict[str, str]

    @classmethod
    def of(cls, attributes: Mapping[str, object]) -> Self:
        """The labels that the attributes of a resource give."""
        identity = {}
        if SERVICE_NAME.name in attributes:
            job = label_value(attributes[SERVICE_NAME.name])
            if SERVICE_NAMESPACE.name in attributes:
                job = f"{label_value(attributes[SERVICE_NAMESPACE.name])}/{job}"
            identity["job"] = job
        if SERVICE_INSTANCE_ID.name in attributes:
            identity["instance"] = label_value(attributes[SERVICE_INSTANCE_ID.name])
        return cls(
            identity={name: value for name, value in identity.items() if value},
            promoted={label_name(name): label_value(value) for name, value in attributes.items() if name in _PROMOTED},
        )


def labels_of(attributes: Mapping[str, object], resource: ResourceLabels) -> dict[str, str]:
    """The labels of a point, without ``__name__``; an empty value is no label.

    Attributes that one label name would fit share it, their values joined by ``;``. A point's own attribute wins over a
    promoted one; ``job`` and ``instance`` are always the resource's. Raises ValueError for an attribute without a usable name.
    """
    labels: dict[str, str] = {}
    for name, value in sorted(attributes.items()):
        if name == "__name__":
            continue
        label, text = label_name(name), label_value(value)
        earlier = labels.get(label)
        labels[label] = f"{earlier};{text}" if earlier else text
    for label, text in resource.promoted.items():
        labels[label] = labels.get(label) or text
    labels |= resource.identity
    return {label: text for label, text in labels.items() if text}


def target_info_labels(attributes: Mapping[str, object]) -> dict[str, str] | None:
    """The labels of the resource's ``target_info``; None for one that says nothing beyond its identity, or has none."""
    identity = ResourceLabels.of(attributes).identity
    if not identity or not attributes.keys() - _IDENTIFYING:
        return None
    return labels_of(attributes, ResourceLabels(identity, {}))
