"""The table, the document and the chart of a run."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.bench import table
from tests.bench.chart import chart
from tests.bench.measure import Measured, median_of
from tests.bench.options import Options
from tests.bench.report import BEGIN, END, Report

PORTAL, PLAIN = Measured(400, 2, 4, 6, web=1.5, database=0.25), Measured(100, 8, 9, 10)


def test_a_line_has_a_cell_for_each_head():
    lines = [
        table.line("get", 16, {"portal": PORTAL, "plain": PLAIN}),
        table.single_line("export", "9 rows/s", None),
    ]
    assert {line.count(" | ") for line in lines} == {len(table.HEAD) - 1}


def test_ratios_are_of_the_same_row():
    systems = {"portal": PORTAL, "plain": PLAIN, "alone": Measured(1600, 1, 1, 1)}
    assert "| 4.0 | 1,600 | 25% |" in table.line("get", 16, systems)


def test_the_median_round_counts():
    rounds = [Measured(rate, 1, 2, 3) for rate in (10, 90, 20)]
    assert median_of(rounds).per_second == 20


def test_the_document_keeps_what_stands_around_the_table(tmp_path):
    document, drawing = tmp_path / "performance.md", tmp_path / "performance.svg"
    document.write_text(f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n")
    report = Report(1)
    report.add("get <id>", 16, {"portal": PORTAL, "plain": PLAIN})
    for _ in range(2):
        report.write("on a machine", document, drawing)
    text = document.read_text()
    assert text.startswith(f"before\n\n{BEGIN}")
    assert text.endswith(f"{END}\n\nafter\n")
    assert text.count("| get <id> | 16 | 400 |") == 1
    assert "old" not in text
    ElementTree.fromstring(drawing.read_text())


def test_a_document_without_the_marks_is_refused(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text("before")
    with pytest.raises(ValueError, match="lacks"):
        Report(1).write("", document, tmp_path / "performance.svg")


def test_the_longest_bar_fits_into_the_chart():
    picture = ElementTree.fromstring(chart({"get": {"portal": 0.4, "plain": 123_456.0}}))
    width = float(picture.attrib["width"])
    bars = [bar for bar in picture.iter() if bar.tag.endswith("rect")]
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width for bar in bars)


def test_options_come_from_make():
    options = Options.read(["ONLY=get, page", "SECONDS=0.5", "QUICK=1", "ROWS="])
    assert (options.rows, options.seconds) == (50_000, 0.5)
    assert options.wants("page of 50, deep")
    assert not options.wants("register")


def test_an_unknown_option_is_named():
    with pytest.raises(ValueError, match="SECOND"):
        Options.read(["SECOND=1"])
