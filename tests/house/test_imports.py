"""Who may import whom is a contract of import-linter. That no modules import one another in a circle stands here: it has none for that."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

ROOMS = ("otelkit", "otelkit_dashboards", "otelkit_alerts", "otelkit_stack", "otelkit_demo")


def circle_in(graph: grimp.ImportGraph) -> list[str]:
    """Modules that import one another in a circle, the first one again at the end; empty where there is none."""
    sorter = TopologicalSorter({module: sorted(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)})
    try:
        sorter.prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_imports_itself_in_a_circle(room: str):
    """Imports inside of functions count: they only hide a circle. Those for type checking alone do not."""
    graph = grimp.build_graph(room, exclude_type_checking_imports=True, cache_dir=None)
    assert len(graph.modules) > 10
    assert circle_in(graph) == []


def test_a_circle_is_found():
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert sorted(set(circle_in(graph))) == ["a", "b", "c"]
