"""The encoder's benchmark runs, and its table is whole. What the numbers are is no test: they belong to a machine."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.common", reason="what we measure beside is not installed: pip install 'otelkit[dev]'"
)

from tests.benchmarks.encoder import BATCH, ENCODERS, batches, main, table


def test_a_quick_run_prints_both_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick"])
    head, _, row = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()]
    assert head == ["per span", "otelkit", "SDK", "ratio"]
    assert row[0] == "µs"
    assert all(float(cell) > 0 for cell in row[1:])


def test_the_ratio_is_how_many_of_ours_fit_into_one_of_theirs() -> None:
    assert table({"µs": {"otelkit": 5.0, "sdk": 30.0}}).splitlines()[-1] == "| µs | 5.0 | 30.0 | 6.0 |"


def test_both_encode_the_same_spans() -> None:
    (batch,) = batches(1)
    assert len(batch) == BATCH
    ours, theirs = (encode(batch) for encode in ENCODERS.values())
    assert abs(len(ours) - len(theirs)) < 2 * BATCH  # but for the W3C flags, which do not change the length
