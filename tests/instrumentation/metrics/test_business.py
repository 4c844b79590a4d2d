"""Business metrics: declared at import, free while the kit is off, bounded and mended while it runs."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from django.test import Client
from opentelemetry import trace

from otelkit import metrics, startup
from otelkit.config import load
from otelkit.errors import OtelkitError
from otelkit.metrics import business
from otelkit.status import status
from otelkit.testing import capture
from tests.instrumentation.logs.hostile import HOSTILE
from tests.instrumentation.metrics.declarations import BASKET, ORDERS, REFUNDS, STOCK, VISITS, WAIT

STRICT = {"metrics": {"strict": True}}


def test_a_counter_counts_by_its_labels():
    with capture() as telemetry:
        ORDERS.add(1, channel="web")
        ORDERS.add(2, channel="web")
        assert telemetry.point("business.tests.orders", channel="web")["value"] == 3


def test_known_outcomes_are_there_at_zero_before_the_first_event():
    """A ratio of something that has not happened yet must be 0, not absent."""
    with capture() as telemetry:
        values = {point["attributes"]["channel"]: point["value"] for point in telemetry.metrics["business.tests.orders"]}
        assert values == {"web": 0, "app": 0, "_OTHER": 0}
        assert telemetry.point("business.tests.refunds")["value"] == 0
        assert "business.tests.visits" not in telemetry.metrics, "an open label has no known values"


def test_a_gauge_holds_the_newest_value():
    with capture() as telemetry:
        STOCK.set(7, warehouse="north")
        STOCK.set(-2.5, warehouse="north")
        assert telemetry.point("business.tests.stock")["value"] == -2.5


def test_a_histogram_sorts_into_its_buckets_and_remembers_the_span():
    with capture() as telemetry:
        with trace.get_tracer("tests").start_as_current_span("checkout"):
            BASKET.record(Decimal("50.00"), channel="app")
        BASKET.record(51, channel="app")
        point = telemetry.point("business.tests.basket", channel="app")
        assert (point["bounds"], point["buckets"], point["sum"]) == ([10, 50, 100], [0, 1, 1, 0], 101)
        assert [exemplar["span_id"] for exemplar in point["exemplars"]] == [telemetry.span("checkout")["span_id"]]
        WAIT.record(0.2)
        assert telemetry.point("business.tests.wait")["bounds"][0] == 0.005, "seconds have bounds without being asked"


def test_while_the_kit_is_off_nothing_is_kept_and_nothing_complains():
    """A25."""
    ORDERS.add(5, channel="web")
    ORDERS.add(5, chanel="typo")
    STOCK.set(3, warehouse="north")
    BASKET.record(3, channel="web")
    with capture() as telemetry:
        assert telemetry.point("business.tests.orders", channel="web")["value"] == 0
        assert "business.tests.stock" not in telemetry.metrics
        assert "business.tests.basket" not in telemetry.metrics


def test_without_metrics_exporters_nothing_is_recorded():
    with capture({"metrics": {"exporters": []}}):
        ORDERS.add(1, channel="web")
        assert ORDERS._instrument is None


def test_a_value_that_is_not_declared_is_counted_as_other_and_said_once(caplog):
    with capture() as telemetry:
        fresh = metrics.counter("business.tests.undeclared", unit="{thing}", help="Things.", labels={"kind": ("a", "b")})
        fresh.add(1, kind="c")
        fresh.add(1, kind="d")
        assert telemetry.point("business.tests.undeclared", kind="_OTHER")["value"] == 2
    said = [record.getMessage() for record in caplog.records if record.name == "otelkit.metrics"]
    assert len(said) == 1
    assert "business.tests.undeclared was given a value of kind that it does not declare" in said[0]
    assert "Declared are a, b" in said[0]


def test_a_strict_kit_raises_instead_so_that_a_test_sees_the_mistake():
    with capture(STRICT):
        with pytest.raises(OtelkitError, match="a value of channel that it does not declare"):
            ORDERS.add(1, channel="fax")
        with pytest.raises(OtelkitError, match="does not have the label chanel and was not given its label channel; it has channel"):
            ORDERS.add(1, chanel="web")
        with pytest.raises(OtelkitError, match="takes a number that is not negative"):
            ORDERS.add(-1, channel="web")
    ORDERS.add(1, channel="fax")


def test_a_label_that_is_left_out_or_unknown_does_not_stop_the_count(caplog):
    with capture() as telemetry:
        ORDERS.add(1, shop="east")
        points = [point for point in telemetry.metrics["business.tests.orders"] if point["attributes"] == {}]
        assert [point["value"] for point in points] == [1]


@pytest.mark.parametrize("amount", [-1, float("nan"), float("inf"), 10**400, "1", None, True, Decimal("NaN")])
def test_what_is_no_amount_is_not_counted(amount, caplog):
    """B5."""
    with capture() as telemetry:
        REFUNDS.add(amount)
        assert telemetry.point("business.tests.refunds")["value"] == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_label_value_never_raises(name):
    """B5: every hostile value as a label of a closed and of an open set."""
    with capture() as telemetry:
        ORDERS.add(1, channel=HOSTILE[name])
        VISITS.add(1, campaign=HOSTILE[name])
        points = telemetry.metrics["business.tests.visits"]
        assert [point["value"] for point in points] == [1]
        assert all(len(str(value)) <= 128 for point in points for value in point["attributes"].values())


def test_ten_thousand_values_stay_below_the_cap_and_overflow_is_counted():
    """A11."""
    with capture({"metrics": {"series_cap": 50}}) as telemetry:
        for number in range(10_000):
            VISITS.add(1, campaign=f"c{number}")
        points = telemetry.metrics["business.tests.visits"]
        assert len(points) == 51
        assert telemetry.point("business.tests.visits", otel_metric_overflow=True)["value"] == 9_950
        overflowed = {point["attributes"]["metric"]: point["value"] for point in telemetry.metrics["otelkit.series.overflowed"]}
        assert overflowed == {"business.tests.visits": 9_950}


def test_an_open_label_shows_no_secret():
    """C1."""
    with capture() as telemetry:
        VISITS.add(1, campaign="https://shop.example/?token=hunter2&utm=a")
        VISITS.add(1, campaign="password=hunter2")
        assert "hunter2" not in str(telemetry.metrics["business.tests.visits"])


def test_the_same_declaration_again_is_the_same_metric():
    again = metrics.counter("business.tests.orders", unit="{order}", help="Orders taken.", labels={"channel": ("web", "app")})
    assert again is ORDERS


def test_a_second_different_declaration_is_refused():
    with pytest.raises(OtelkitError, match=r"business\.tests\.orders is declared twice, and differently"):
        metrics.counter("business.tests.orders", unit="{order}", help="Something else.")
    with pytest.raises(OtelkitError, match=r"business\.tests_orders and business\.tests\.orders are one name in Prometheus"):
        metrics.counter("business.tests_orders", unit="{order}", help="Orders.")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "orders"}, r'\'orders\' is not a name for a business metric: .* Try "business.orders"'),
        ({"name": "business.Größe"}, "is not a name for a business metric"),
        ({"name": "business."}, "is not a name for a business metric"),
        ({"name": "http.server.request.duration"}, r'Try "business.http_server_request_duration"'),
        ({"name": 7}, "7 is not a name"),
        ({"unit": "1"}, "the unit is '1'; it must be what is counted in braces, like {order}"),
        ({"unit": ""}, "the unit is ''"),
        ({"help": " "}, "needs a help text"),
        ({"labels": ("channel",)}, "labels must be a dictionary"),
        ({"labels": {"sales channel": ()}}, "'sales channel' is not a name for a label"),
        ({"labels": {"service_name": ()}}, "every series has the label service_name already"),
        ({"labels": {"api_key": ()}}, "the label api_key is called like a secret"),
        ({"labels": {"channel": "web"}}, "the values of channel must be a list of texts"),
        ({"labels": {"channel": (1, 2)}}, "the values of channel must be a list of texts"),
    ],
)
def test_a_declaration_that_cannot_work_says_why(changes, problem):
    """A23."""
    arguments = {"name": "business.tests.wrong", "unit": "{order}", "help": "Orders.", "labels": {}} | changes
    with pytest.raises(OtelkitError, match=problem):
        metrics.counter(arguments.pop("name"), **arguments)
    assert not [metric for metric in business.declared() if metric.name == "business.tests.wrong"]


@pytest.mark.parametrize(
    ("buckets", "problem"), [(None, "needs buckets"), ((), "needs buckets"), ((2, 1), "rising numbers"), (("a",), "rising numbers")]
)
def test_a_histogram_needs_bounds_that_rise(buckets, problem):
    with pytest.raises(OtelkitError, match=problem):
        metrics.histogram("business.tests.wrong", unit="{euro}", help="Value.", buckets=buckets)


def test_all_problems_of_a_declaration_come_in_one_error():
    with pytest.raises(OtelkitError) as caught:
        metrics.histogram("orders", unit="1", help="", labels={"le": ()})
    assert len(str(caught.value).splitlines()) == 5


def test_status_lists_what_is_declared(monkeypatch):
    assert "  business.tests.orders        counter in {order}; channel = web | app | _OTHER" in str(status())
    assert "  business.tests.visits        counter in {visit}; campaign = any, capped" in str(status())


def test_a_forked_worker_counts_from_nothing_and_sends_its_own():
    """B7: what the parent counted is not counted again by the child."""
    with capture() as telemetry:
        ORDERS.add(100, channel="web")
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                ORDERS.add(7, channel="web")
                os.write(writing, str(telemetry.point("business.tests.orders", channel="web")["value"]).encode())
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        os.close(writing)
        with os.fdopen(reading) as child:
            assert child.read() == "7.0"
        assert telemetry.point("business.tests.orders", channel="web")["value"] == 100


def test_both_roads_say_the_same():
    with capture({"metrics": {"exporters": ["otlp", "prometheus"]}, "service": {"name": "shop"}}) as telemetry:
        ORDERS.add(3, channel="app")
        page = Client().get("/metrics").content.decode()
        assert telemetry.point("business.tests.orders", channel="app")["value"] == 3
    (line,) = [line for line in page.splitlines() if line.startswith("business_tests_orders_total{") and 'channel="app"' in line]
    assert line.endswith(" 3.0")
    assert 'service_name="shop"' in line


def test_switched_off_by_its_settings_the_kit_binds_nothing():
    """A25."""
    assert startup.start(load({"enabled": False}, {})) is None
    assert ORDERS._instrument is None
