import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.output import print_table
from api.tabular.narrow import GAP, Narrow

_CELLS = st.lists(st.tuples(*[st.text("ab", max_size=8)] * 4), min_size=1, max_size=5)
_NARROW = Narrow(least=("id", "size"), cut="reason")
_HEADERS = ("#", "id", "size", "reason")


def test_a_wide_terminal_shows_every_column_that_has_a_value() -> None:
    rows = [("1", "study_1", "", "it was cancelled"), ("2", "study_2", "", "")]
    headers, fitted = _NARROW.fitted(_HEADERS, rows, width=80)
    assert headers == ["#", "id", "reason"]
    assert fitted == [["1", "study_1", "it was cancelled"], ["2", "study_2", ""]]


def test_a_narrow_terminal_goes_without_the_least_useful_columns_and_cuts_texts() -> None:
    rows = [("1", "study_1", "12 kB", "a reason of many words that goes on and on")]
    assert _NARROW.fitted(_HEADERS, rows, width=40)[0] == ["#", "size", "reason"]
    headers, fitted = _NARROW.fitted(_HEADERS, rows, width=30)
    assert headers == ["#", "reason"]
    assert fitted == [["1", "a reason of many words..."]]


@given(_CELLS, st.integers(min_value=30, max_value=60))
def test_a_row_fits_into_one_line(rows: list[tuple[str, str, str, str]], width: int) -> None:
    headers, fitted = _NARROW.fitted(_HEADERS, rows, width=width)
    widest = [max(map(len, column)) + GAP for column in zip(headers, *fitted, strict=True)]
    assert sum(widest) <= width
    assert len(fitted) == len(rows) or not headers


def test_a_table_is_as_wide_as_it_was_fitted(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("1", "study_1", "12 kB", "a reason of many words that goes on and on")]
    for width in range(30, 80):
        headers, fitted = _NARROW.fitted(_HEADERS, rows, width=width)
        print_table(headers, fitted, left=frozenset(headers))
        assert max(map(len, capsys.readouterr().out.splitlines())) <= width
