"""Rule files of Prometheus and of Loki's ruler, unchanged: YAML with groups of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from otelkit_stack.go_template.errors import TemplateError
from otelkit_stack.go_text import quoted
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.promql import durations
from otelkit_stack.promql.errors import ParseError
from otelkit_stack.promql.labels import METRIC_NAME, Labels, is_label_name
from otelkit_stack.rules.errors import RuleFileError
from otelkit_stack.rules.languages import parsed
from otelkit_stack.rules.model import AlertingRule, Group, Language, RecordingRule, Rule
from otelkit_stack.rules.templates.template import Template

_GROUP_FIELDS = frozenset(("name", "interval", "query_offset", "limit", "rules", "labels"))
_RULE_FIELDS = frozenset(("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"))


def language_of(file: Path) -> Language:
    """LogQL for files with ``loki`` in their name or as the name of their folder: the files themselves do not say."""
    is_loki = "loki" in (file.parent.name, *re.split(r"[._-]", file.name))
    return Language.LOGQL if is_loki else Language.PROMQL


def load(file: Path) -> list[Group]:
    """The groups of a file. Raises RuleFileError, with everything that is wrong, in Prometheus' words where it has some."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError([f"{file}: {error}"]) from error
    return read(text, str(file), language_of(file))


def read(text: str, name: str, language: Language = Language.PROMQL) -> list[Group]:
    """The groups of a file's text. Raises RuleFileError."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise RuleFileError([f"{name}: {error}"]) from error
    reader = _Reader(name, language)
    groups = [] if document is None else reader.groups(document)
    if reader.problems:
        raise RuleFileError([f"{name}: {problem}" for problem in reader.problems])
    return groups


class _Reader:
    """Walks through the nodes of one file, and goes on after a problem, so that all of them are said at once."""

    def __init__(self, file: str, language: Language) -> None:
        self.problems: list[str] = []
        self._file = file
        self._language = language
        self._where = ""
        """Group and rule that are being read."""

    def groups(self, document: yaml.Node) -> list[Group]:
        found: list[Group] = []
        content = self._mapping(document, frozenset(("groups",)), "the file")
        names: set[str] = set()
        for node in self._sequence(content.get("groups")):
            self._where = ""
            fields = self._mapping(node, _GROUP_FIELDS, "a group")
            name = self._text(fields.get("name"))
            if not name:
                self._note(node, "Groupname must not be empty")
            elif name in names:
                self._note(node, f'groupname: "{name}" is repeated in the same file')
            names.add(name)
            found.append(self._group(name, fields))
        return found

    def _group(self, name: str, fields: dict[str, yaml.Node]) -> Group:
        self._where = group = f"group {quoted(name)}"
        shared = self._labels(fields.get("labels"), "label")
        interval, offset = self._duration(fields.get("interval")), self._duration(fields.get("query_offset"))
        limit = self._text(fields.get("limit")) or "0"
        if not limit.isdecimal():
            self._note(fields["limit"], f"limit must be a whole number; it is {limit}")
            limit = "0"
        rules = []
        for number, node in enumerate(self._sequence(fields.get("rules")), start=1):
            self._where = f"{group}, rule {number}"
            rule = self._rule(node, shared)
            if rule:
                rules.append(rule)
        return Group(name, self._file, tuple(rules), interval or None, offset, int(limit), self._language)

    def _rule(self, node: yaml.Node, shared: dict[str, str]) -> Rule | None:
        before = len(self.problems)
        fields = self._mapping(node, _RULE_FIELDS, "a rule")
        record, alert = self._text(fields.get("record")), self._text(fields.get("alert"))
        self._where = f"{self._where}, {quoted(alert or record)}"
        if record and alert:
            self._note(fields["record"], "only one of 'record' and 'alert' must be set")
        elif not record and not alert:
            self._note(node, "one of 'record' or 'alert' must be set")
        expression = self._expression(node, fields.get("expr"))
        labels = shared | self._labels(fields.get("labels"), "label")
        annotations = self._labels(fields.get("annotations"), "annotation")
        hold, keep = self._duration(fields.get("for")), self._duration(fields.get("keep_firing_for"))
        if record:
            for field in ("annotations", "for", "keep_firing_for"):
                if field in fields:
                    self._note(fields["record"], f"invalid field '{field}' in recording rule")
            if not is_label_name(record):
                self._note(fields["record"], f"invalid recording rule name: {record}")
            if "{" in record or "}" in record:
                reason = f"braces present in the recording rule name; should it be in expr?: {record}"
                self._note(fields["record"], reason)
        for kind, values in (("label", labels), ("annotation", annotations)) if alert else ():
            for key, template in values.items():
                self._check_template(node, f"{kind} {quoted(key)}", template)
        if len(self.problems) > before:
            return None
        if record:
            return RecordingRule(record, expression, Labels.of(labels))
        return AlertingRule(alert, expression, hold, keep, Labels.of(labels), Labels.of(annotations))

    def _expression(self, rule: yaml.Node, node: yaml.Node | None) -> str:
        text = self._text(node)
        if node is None or not text:
            self._note(node or rule, "field 'expr' must be set in rule")
            return ""
        try:
            parsed(text, self._language)
        except (ParseError, LogQLError) as error:
            self._note(node, f"could not parse expression: {error}")
        return text

    def _check_template(self, node: yaml.Node, what: str, text: str) -> None:
        try:
            Template(text)
        except TemplateError as error:
            self._note(node, f"{what}: {error}")

    def _labels(self, node: yaml.Node | None, kind: str) -> dict[str, str]:
        values = {name: self._text(value) for name, value in self._mapping(node, None, f"{kind}s").items()} if node else {}
        for name in values:
            if not is_label_name(name) or name == METRIC_NAME:
                assert node is not None
                self._note(node, f"invalid {kind} name: {name}")
        return values

    def _duration(self, node: yaml.Node | None) -> int:
        text = self._text(node)
        if not text:
            return 0
        try:
            return durations.milliseconds(durations.parse(text))
        except ValueError as error:
            assert node is not None
            self._note(node, str(error))
            return 0

    def _note(self, node: yaml.Node, reason: str) -> None:
        self.problems.append(f"{_place(node)}: {self._where + ': ' if self._where else ''}{reason}")

    def _text(self, node: yaml.Node | None) -> str:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"):
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._note(node, f"a text is expected here, not a {type(node).__name__.removesuffix('Node').lower()}")
            return ""
        return str(node.value)

    def _sequence(self, node: yaml.Node | None) -> Iterator[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            yield from node.value
        elif node is not None and node.tag != "tag:yaml.org,2002:null":
            self._note(node, "a list is expected here")

    def _mapping(self, node: yaml.Node, known: frozenset[str] | None, what: str) -> dict[str, yaml.Node]:
        if node.tag == "tag:yaml.org,2002:null":
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._note(node, f"{what} must be a mapping")
            return {}
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if known is not None and name not in known:
                self._note(key, f"{what} has no field {quoted(name)}; there are {', '.join(sorted(known))}")
            elif name in fields:
                self._note(key, f"{quoted(name)} is set twice")
            fields[name] = value
        return fields


def _place(node: yaml.Node) -> str:
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"
