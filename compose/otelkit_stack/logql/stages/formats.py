"""``| line_format`` and ``| label_format``: templates over the labels of a line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from otelkit_stack.go_template import Template, TemplateError
from otelkit_stack.go_text import quoted
from otelkit_stack.logql.errors import LogQLError
from otelkit_stack.logql.line import Line
from otelkit_stack.logql.stages.template_functions import FUNCTIONS, NAMES_OF_LINE, functions_of


@lru_cache(maxsize=512)
def _template(text: str, name: str) -> Template:
    return Template(text, FUNCTIONS, later=NAMES_OF_LINE, name=name)


def _rendered(text: str, name: str, line: Line) -> str | None:
    try:
        return _template(text, name).render(line.labels, functions=functions_of(line))
    except TemplateError as error:
        line.fail("TemplateFormatErr", str(error))
        return None


@dataclass(frozen=True, slots=True)
class LineFormat:
    """Writes the line anew."""

    template: str

    def __post_init__(self) -> None:
        try:
            _template(self.template, "line")
        except TemplateError as error:
            stage = f"| line_format {quoted(self.template)}"
            raise LogQLError(f"parse error : stage '{stage}' : invalid line template: {error}") from error

    def run(self, line: Line) -> bool:
        text = _rendered(self.template, "line", line)
        if text is not None:
            line.text = text
        return True


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """Renames labels (``to=from``) and makes new ones (``name="template"``). ``formats`` are (name, source, is a template)."""

    formats: tuple[tuple[str, str, bool], ...]

    def __post_init__(self) -> None:
        names = [name for name, _, _ in self.formats]
        for name in names:
            if names.count(name) > 1:
                raise LogQLError(f"parse error : multiple label name '{name}' not allowed in a single format operation")
        written = (f"{name}={quoted(source) if is_template else source}" for name, source, is_template in self.formats)
        stage = f"| label_format {','.join(written)}"
        for name, source, is_template in self.formats:
            try:
                if is_template:
                    _template(source, "label")
            except TemplateError as error:
                raise LogQLError(f"parse error : stage '{stage}' : invalid template for label '{name}': {error}") from error

    def run(self, line: Line) -> bool:
        for name, source, is_template in self.formats:
            if is_template:
                value = _rendered(source, "label", line)
                if value is not None:
                    line.set(name, value)
            elif source in line.labels:
                line.set(name, line.labels[source])
                line.remove(source)
        return True
