"""How a configuration is put together: preset < ``OTELKIT`` < environment variables, and every problem in one error."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from otelkit import settings_field as s
from otelkit.catalog.labels import SIGNAL
from otelkit.config.export import GRPC, HTTP, USUAL_ENDPOINTS, Export
from otelkit.config.presets import PRESETS
from otelkit.config.sections import SECTIONS, Config, declared
from otelkit.config.variables import OWN, SPAN_LIMITS, SWITCH, unknown_of_ours, without_effect
from otelkit.errors import ConfigError
from otelkit.installed import is_installed
from otelkit.redaction import REDACTED, redact_text


def load(settings: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, *, debug: bool = False) -> Config:
    """The configuration that settings and environment ask for. Raises ConfigError with every problem in one message.

    ``debug`` chooses between the presets ``development`` and ``production`` where nothing else does.
    """
    settings = settings if settings is not None else {}
    environ = os.environ if environ is None else environ
    if not isinstance(settings, Mapping):
        raise ConfigError([f"OTELKIT must be a dictionary; it is {settings!r}."])
    problems: list[str] = []
    preset = environ.get("OTELKIT_PRESET") or settings.get("preset") or ("development" if debug else "production")
    if not isinstance(preset, str) or preset not in PRESETS:
        origin = "OTELKIT_PRESET" if environ.get("OTELKIT_PRESET") else 'OTELKIT["preset"]'
        problems.append(f"{origin} must be one of {', '.join(PRESETS)}; it is {preset!r}.{_suggest(str(preset), PRESETS)}")
        preset = "production"
    values: dict[str, dict[str, Any]] = {}
    sources: dict[str, str] = {}
    _from_settings(settings, values, sources, problems)
    _from_environment(environ, values, sources, problems)
    _from_limits(environ, values, sources, problems)
    known = {name for _, _, item in declared() if (name := s.declaration(item).env)}
    problems += [f"{name} is no variable of otelkit.{_suggest(name, known | OWN)}" for name in unknown_of_ours(environ, known)]
    config = PRESETS[preset]
    sections = {section: replace(getattr(config, section), **changes) for section, changes in values.items() if section}
    made = replace(config, preset=preset, sources=sources, ignored=without_effect(environ, known), **values.get("", {}), **sections)
    problems += [*_of_client_certificates(made), *_of_grpc(made)]
    if problems:
        raise ConfigError(problems)
    return replace(made, export=_with_usual_ports(made))


def _from_settings(settings: Mapping[str, Any], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]) -> None:
    known = {"preset", *(name for section, name, _ in declared() if not section), *SECTIONS}
    for key, value in settings.items():
        if key not in known:
            problems.append(f'OTELKIT["{key}"] is not a setting.{_suggest(key, known)}')
        elif key in SECTIONS:
            if isinstance(value, Mapping):
                _section_from_settings(key, value, values, sources, problems)
            else:
                problems.append(f'OTELKIT["{key}"] must be a dictionary; it is {value!r}.')
        elif key != "preset":
            _take("", key, value, f'OTELKIT["{key}"]', values, sources, problems)


def _section_from_settings(
    section: str, given: Mapping[str, Any], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]
) -> None:
    known = [name for owner, name, _ in declared() if owner == section]
    for key, value in given.items():
        where = f'OTELKIT["{section}"]["{key}"]'
        if key in known:
            _take(section, key, value, where, values, sources, problems)
        else:
            problems.append(f"{where} is not a setting.{_suggest(key, known)}")


def _take(
    section: str,
    name: str,
    value: Any,
    where: str,
    values: dict[str, dict[str, Any]],
    sources: dict[str, str],
    problems: list[str],
    *,
    shown: str = "",
) -> None:
    owner = SECTIONS.get(section, Config)
    item = next(item for item in fields(owner) if item.name == name)
    check = s.declaration(item).check
    try:
        accepted = s.coerce(value, s.types_of(owner)[name])
        complaint = check(accepted) if check else None
    except ValueError as error:
        complaint = str(error)
    if complaint:
        # The message goes into logs: an address or a header may hold a password.
        seen = REDACTED if _is_secret(section, name) else redact_text(shown or repr(value))
        problems.append(f"{where} {complaint}; it is {seen}.{_nearest(value, check)}")
        return
    if (section, name) == ("service", "attributes"):
        accepted = _move_named(accepted, where, values, sources, problems)
    values.setdefault(section, {})[name] = accepted
    sources[f"{section}.{name}" if section else name] = where


def _from_environment(environ: Mapping[str, str], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]) -> None:
    for section, name, item in declared():
        declaration = s.declaration(item)
        text = environ.get(declaration.env or "", "").strip()  # a secret mounted as a file often ends in a line break
        if not declaration.env or not text:  # OpenTelemetry: an empty variable counts as unset
            continue
        wanted = s.types_of(SECTIONS.get(section, Config))[name]
        try:
            value = declaration.parse(text) if declaration.parse else s.parse_text(text, wanted)
        except ValueError as error:
            problems.append(f"{declaration.env} {error}; it is {REDACTED if _is_secret(section, name) else redact_text(repr(text))}.")
            continue
        shown = (
            f"{text!r}, which is {value:g} seconds (the variable holds milliseconds)" if declaration.parse is s.milliseconds else repr(text)
        )
        _take(section, name, value, declaration.env, values, sources, problems, shown=shown)
    if environ.get(SWITCH, "").strip().lower() == "true":
        values.setdefault("", {})["enabled"] = False
        sources["enabled"] = SWITCH


def _from_limits(environ: Mapping[str, str], values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]) -> None:
    """The SDK reads these itself, and would raise for one that is no number."""
    for name in SPAN_LIMITS:
        text = environ.get(name, "").strip()
        if text and not text.isdecimal():
            problems.append(f"{name} must be a whole number, 0 or more; it is {redact_text(repr(text))}.")
        elif text:
            values.setdefault("traces", {})["sdk_spans"] = True
            sources["traces.sdk_spans"] = name


def _of_client_certificates(config: Config) -> list[str]:
    problems = []
    for prefix in ("", "traces_", "metrics_", "logs_"):
        names = (f"{prefix}client_certificate", f"{prefix}client_key")
        given = [name for name in names if getattr(config.export, name)]
        if len(given) == 1:
            (lacks,) = {*names} - {*given}
            where = config.sources[f"export.{given[0]}"]
            problems.append(f'{where} needs OTELKIT["export"]["{lacks}"] beside it, which is not set: a certificate is shown with its key.')
    return problems


def _of_grpc(config: Config) -> list[str]:
    asked = [name for name in _PROTOCOLS if getattr(config.export, name) == GRPC]
    if not asked or is_installed("grpc"):
        return []
    return [
        f"{config.sources[f'export.{asked[0]}']} is {GRPC}, and grpcio is not installed.\nInstall it with:  pip install 'otelkit[grpc]'"
    ]


def _with_usual_ports(config: Config) -> Export:
    """Where only the protocol was chosen, the port that is usual for it (OTLP: 4318 for HTTP, 4317 for gRPC)."""
    export = config.export
    if "export.endpoint" in config.sources or not any(getattr(export, name) == GRPC for name in _PROTOCOLS):
        return export
    own: dict[str, Any] = {
        f"{signal}_endpoint": USUAL_ENDPOINTS[GRPC] if protocol == GRPC else f"{USUAL_ENDPOINTS[HTTP]}/v1/{signal}"
        for signal in SIGNAL.values
        if (protocol := getattr(export, f"{signal}_protocol")) and not getattr(export, f"{signal}_endpoint")
    }
    return replace(export, endpoint=USUAL_ENDPOINTS[export.protocol], **own)


_PROTOCOLS = ("protocol", *(f"{signal}_protocol" for signal in SIGNAL.values))

_NAMED_BY_ATTRIBUTE = {
    "service.name": "name",
    "service.namespace": "namespace",
    "service.version": "version",
    "vcs.ref.head.revision": "revision",
    "service.owner": "owner",
    "service.criticality": "criticality",
    "deployment.environment.name": "environment",
}


def _move_named(
    attributes: dict[str, str], where: str, values: dict[str, dict[str, Any]], sources: dict[str, str], problems: list[str]
) -> dict[str, str]:
    """The attributes without those that have a setting of their own, which are taken as that setting.

    As everywhere the environment wins over ``OTELKIT``; at the same rank the own setting wins, as OpenTelemetry says of OTEL_SERVICE_NAME.
    """
    rest = dict(attributes)
    for attribute, name in _NAMED_BY_ATTRIBUTE.items():
        value = rest.pop(attribute, "")
        own = sources.get(f"service.{name}", "")
        if value and (not own or (where.startswith("OTEL_") and own.startswith("OTELKIT"))):
            _take("service", name, value, where, values, sources, problems)
    return rest


def _is_secret(section: str, name: str) -> bool:
    """A header of an export is there for its token, whatever its name; the address of a broker holds a password, even where it is none."""
    return (section == "export" and name.endswith("headers")) or (section, name) == ("events", "broker")


def _nearest(value: object, check: s.Check | None) -> str:
    """The allowed word that was probably meant; the complaint lists them all."""
    close = get_close_matches(str(value), getattr(check, "allowed", ()), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def _suggest(word: object, known: Any) -> str:
    close = get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else f" There are {', '.join(sorted(known))}."
