"""Readers of recorded series: the names are right, and a wrong label is an error."""

from __future__ import annotations

import doctest
import re

import pytest

from otelkit.catalog import recorded
from otelkit.catalog.labels import HTTP_ROUTE, SLO
from otelkit.catalog.metrics import TARGET_INFO
from otelkit.catalog.promql import always, equals, present
from otelkit.catalog.recorded import SLO_BUDGET_REMAINING, SLO_OBJECTIVE, average_over, read, slo_bad, slo_errors, slo_requests, sum_over


def test_the_example_of_the_module_holds():
    assert doctest.testmod(recorded) == doctest.TestResults(failed=0, attempted=2)


@pytest.mark.parametrize(
    "series", [SLO_OBJECTIVE, SLO_BUDGET_REMAINING, slo_errors("5m"), slo_bad("5m"), slo_requests("5m")], ids=lambda series: series.name
)
def test_names_say_level_metric_and_operation(series: recorded.Recorded):
    assert re.fullmatch(r"service:[a-z_]+:[a-z_]+(\d+[smhd])?", series.name)
    assert series.help.endswith(".")


def test_readers_spell_selectors_and_windows():
    of_latency = [equals(SLO, "latency")]
    assert str(read(slo_errors("5m"))) == "service:slo_errors:ratio_rate5m"
    assert str(sum_over(slo_bad("5m"), "3d", where=of_latency)) == 'sum_over_time(service:slo_bad:rate5m{slo="latency"}[3d])'
    assert str(average_over(slo_requests("5m"), "1h", where=of_latency)) == 'avg_over_time(service:slo_requests:rate5m{slo="latency"}[1h])'


def test_a_label_that_the_series_lacks_is_refused_with_those_it_has():
    with pytest.raises(TypeError, match=r"ratio_rate5m has no label http.route; it has deployment.environment.name, service.name"):
        read(slo_errors("5m"), where=[equals(HTTP_ROUTE, "/")])


def test_presence_within_a_window_outlives_the_five_minutes_of_a_plain_selector():
    assert str(present(TARGET_INFO, window="1h", offset="5m")) == "group(present_over_time(target_info[1h] offset 5m))"
    assert str(always()) == "vector(1)"
