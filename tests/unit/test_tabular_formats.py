"""Numbers as the command line shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.tabular import formats

_FACTORS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (999, "999"), (999.6, "1.00 k"), (1234, "1.23 k"), (83_100, "83.1 k"), (999_600, "1.00 M")],
)
def test_counts_have_si_prefixes_and_three_digits(value: float, text: str) -> None:
    assert formats.si(value) == text


@given(st.integers(min_value=1, max_value=10**14))
def test_a_count_can_be_read_back_within_half_a_percent(value: int) -> None:
    number, _, prefix = formats.si(value).partition(" ")
    assert float(number) * _FACTORS[prefix] == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(("value", "text"), [(12, "12 B"), (340_123, "340 kB"), (1_000_000, "1.00 MB")])
def test_sizes_are_in_bytes(value: float, text: str) -> None:
    assert formats.size(value) == text


def test_an_interval_has_the_decimals_of_its_median() -> None:
    assert formats.interval(0.21312, 0.20961, 0.2171) == "0.213 [0.210, 0.217]"
    assert formats.interval(12.34, 11.0, 13.96) == "12.3 [11.0, 14.0]"
    assert formats.interval(0.0256, None, None) == "0.0256"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (78.4, "1:18"), (3600 + 23 * 60 + 5, "1:23:05")])
def test_durations_read_like_a_clock(seconds: float, text: str) -> None:
    assert formats.clock(seconds) == text


def test_of_a_traceback_the_error_is_shown_and_cut_to_fit() -> None:
    assert formats.brief("Traceback ...\n  File ...\nValueError: no\n") == "ValueError: no"
    assert formats.brief("a" * 100, width=10) == "aaaaaaa..."
    assert formats.brief(None) == ""
