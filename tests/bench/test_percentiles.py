"""Percentiles, which a wrong rank would spoil without a word."""

from tests.bench.percentiles import percentile


def test_the_percentile_is_a_value_that_was_measured():
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]


def test_one_value_is_each_percentile():
    assert [percentile([3.0], percent) for percent in (1, 50, 99)] == [3.0, 3.0, 3.0]
