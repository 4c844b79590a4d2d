"""HTML that cannot forget to escape: text becomes markup only through these functions."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


def element(tag: str, *content: str | Iterable[Markup], **attributes: str) -> Markup:
    """An element; content that is not markup is escaped, so are attribute values. ``class_`` stands for ``class``."""
    inner = "".join(_markup(item) if isinstance(item, str) else "".join(item) for item in content)
    names = "".join(f' {name.removesuffix("_")}="{escape(value)}"' for name, value in attributes.items())
    return Markup(f"<{tag}{names}>{inner}</{tag}>")


def document(title: str, *content: str | Iterable[Markup]) -> Markup:
    """A whole page with the stack's style sheet."""
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<link rel="stylesheet" href="/style.css">'),
        element("title", title),
    )
    home = element("header", element("a", "otelkit stack", href="/"))
    return Markup(
        "<!doctype html>" + element("html", head, element("body", home, element("main", element("h1", title), *content)), lang="en")
    )


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """A table; cells that are not markup are escaped."""
    head = element("tr", (element("th", heading) for heading in headings))
    body = (element("tr", (element("td", cell) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", body))


def _markup(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
