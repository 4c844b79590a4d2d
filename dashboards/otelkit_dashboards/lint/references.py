"""Rules about what refers to something: variables, links, data sources, ids and places."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from otelkit.catalog.boards import BOARDS, BoardFact
from otelkit_dashboards.grafana.exports import Json, every_panel
from otelkit_dashboards.grafana.sources import SOURCES
from otelkit_dashboards.layout import BOARD_WIDTH, Place
from otelkit_dashboards.lint.rule import Problem, Rule, Subject
from otelkit_dashboards.model import Variable
from otelkit_dashboards.variables import WINDOWS, variables_in

LONGEST_UID = 40
FORBIDDEN_PLUGINS = ("piechart", "graph", "singlestat", "table-old")

_EXACT_MATCH = re.compile(r'(?<![!~])!?="\$\{?(\w+)')
_BOARD_LINK = re.compile(r"/d/([^?/]+)\?(.*)")
_FILLED = re.compile(r"var-(\w+)=(\S+)")
_CARRIED = re.compile(r"\$\{(\w+):queryparam\}")


def _texts(subject: Subject) -> Iterator[tuple[str, str]]:
    """Every text in which a variable may stand, with its panel."""
    for panel in subject.board.panels:
        yield panel.key, panel.title
        for query in panel.queries:
            yield panel.key, query.expr.text
    for annotation in subject.board.annotations:
        yield "", annotation.expr.text
    for variable in subject.board.variables:
        if isinstance(variable, Variable):
            yield "", " ".join(map(str, variable.where))


def _exist(subject: Subject) -> Iterator[Problem]:
    known = {variable.name for variable in subject.board.variables} | set(WINDOWS)
    for key, text in _texts(subject):
        for name in sorted(variables_in(text) - known):
            yield key, f"uses ${name}, which the board does not have"


def _used(subject: Subject) -> Iterator[Problem]:
    used = frozenset().union(*(variables_in(query.expr.text) for panel in subject.board.panels for query in panel.queries))
    for variable in subject.board.variables:
        if variable.name not in used:
            yield "", f"offers ${variable.name}, which no panel follows"


def _patterns(subject: Subject) -> Iterator[Problem]:
    multi = {variable.name for variable in subject.board.variables if isinstance(variable, Variable) and variable.multi}
    for key, text in _texts(subject):
        for name in sorted(set(_EXACT_MATCH.findall(text)) & multi):
            yield key, f"${name} may be several values, which only =~ matches"


def _links(subject: Subject) -> Iterator[Problem]:
    boards = {board.uid: board for board in BOARDS}
    for key, panel in subject.written_panels():
        for url in _urls(panel):
            found = _BOARD_LINK.fullmatch(url)
            if found is None:
                yield key, f"links to {url}, which is no board"
            elif found[1] not in boards:
                yield key, f"links to a board {found[1]}, which is not in the catalogue"
            else:
                yield from ((key, message) for message in _wrong_parameters(found[2], boards[found[1]], subject.board.fact))


def _wrong_parameters(parameters: str, target: BoardFact, source: BoardFact) -> Iterator[str]:
    for parameter in parameters.split("&"):
        filled, carried = _FILLED.fullmatch(parameter), _CARRIED.fullmatch(parameter)
        if filled and filled[1] not in target.variables:
            yield f"sets var-{filled[1]}, which {target.uid} does not have"
        elif filled and "${__" in filled[2] and not filled[2].endswith((":percentencode}", ".traceID}")):
            yield f"sets var-{filled[1]} without :percentencode; routes have slashes and braces"
        elif carried and not (carried[1] in target.variables and carried[1] in source.variables):
            yield f"carries ${carried[1]} over, which not both boards have"


def _urls(panel: Json) -> Iterator[str]:
    config = panel["fieldConfig"]
    links = list(config["defaults"].get("links") or ())
    for override in config["overrides"]:
        links += itertools.chain.from_iterable(entry["value"] for entry in override["properties"] if entry["id"] == "links")
    yield from (link["url"] for link in links)


def _sources(subject: Subject) -> Iterator[Problem]:
    references = {source.plugin: source.reference for source in SOURCES.values()}
    declared = {f"${{{variable['name']}}}" for variable in subject.written["templating"]["list"] if variable["type"] == "datasource"}
    for key, panel in subject.written_panels():
        for holder in (panel, *panel.get("targets", ())):
            source = holder.get("datasource") or {}
            uid = source.get("uid")
            if uid not in declared or references.get(source["type"]) != uid:
                yield key, f"reads the data source {uid}, not one of the board's variables"


def _plugins(subject: Subject) -> Iterator[Problem]:
    for key, panel in subject.written_panels():
        if panel["type"] in FORBIDDEN_PLUGINS:
            yield key, f"is a {panel['type']}; draw shares as bars, for eyes compare lengths better than angles"


def _ids(subject: Subject) -> Iterator[Problem]:
    uid = subject.board.fact.uid
    if not uid or len(uid) > LONGEST_UID:
        yield "", f'the uid "{uid}" must have 1 to {LONGEST_UID} characters'
    ids = Counter(panel.get("id") or 0 for panel in every_panel(subject.written))
    for number, times in sorted(ids.items()):
        if number == 0:
            yield "", f"{times} panels have no id"
        elif times > 1:
            yield "", f"{times} panels share the id {number}"


def _places(subject: Subject) -> Iterator[Problem]:
    placed = [(key, _place(panel["gridPos"])) for key, panel in subject.written_panels()]
    for key, spot in placed:
        if spot.x + spot.width > BOARD_WIDTH:
            yield key, f"reaches column {spot.x + spot.width} of {BOARD_WIDTH}"
    # Collapsed rows open over what is below them, so only panels that show together can be in each other's way.
    shown = [(str(panel["id"]), _place(panel["gridPos"])) for panel in subject.written["panels"]]
    inside = [[(str(one["id"]), _place(one["gridPos"])) for one in row.get("panels") or ()] for row in subject.written["panels"]]
    for together in (shown, *inside):
        for (first, spot), (second, other) in itertools.combinations(together, 2):
            if spot.overlaps(other):
                yield "", f"panels {first} and {second} overlap"


def _place(grid: Json) -> Place:
    return Place(grid["x"], grid["y"], grid["w"], grid["h"])


RULES = (
    Rule("variable-exists", "Every variable that is used exists.", _exist),
    Rule("variable-used", "Every variable that is offered changes something.", _used),
    Rule("multi-pattern", "A variable of several values is matched as a pattern.", _patterns),
    Rule("link-resolves", "Every link leads to a board and sets variables that it has.", _links),
    Rule("data-source", "Every panel reads the data source that the reader chose.", _sources),
    Rule("no-pie", "No pies, and no panels that Grafana has given up.", _plugins),
    Rule("unique-ids", "Every panel has an id of its own.", _ids),
    Rule("no-overlap", "No panel covers another or leaves the board.", _places),
)
