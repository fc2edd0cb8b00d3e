"""A name must stay a text: on a terminal, in a spreadsheet, in a header."""

from typing import Any

import pytest

from api.cli.output import print_csv, print_table
from search.contract.recipes import Recipe
from search.study.compression_spec import CompressionSpec


def test_escape_sequences_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b]0;owned\x07\x1b[2J\x9b31mred"
    print_table(("name",), [(name,)], left=frozenset({"name"}))
    print_csv([{"name": name}])
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
    assert shown.count(r"\x1b]0;owned\x07\x1b[2J\x9b31mred") == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_text_is_no_formula_in_a_spreadsheet(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([{"name": text, "number": -1.5, "plain": "a-b"}])
    (_, line) = capsys.readouterr().out.splitlines()
    assert line == f"'{text},-1.5,a-b"


def test_a_study_has_a_bounded_number_of_recipes() -> None:
    recipes: list[dict[str, Any]] = [{"name": f"r{number}"} for number in range(201)]
    with pytest.raises(ValueError, match="at most 200"):
        CompressionSpec.model_validate({"recipes": recipes})
    assert isinstance(CompressionSpec.model_validate({"recipes": recipes[:200]}).recipes[0], Recipe)
