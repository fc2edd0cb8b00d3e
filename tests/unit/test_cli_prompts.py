"""A study's file from answers, and what happens where nobody can be asked."""

import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from api.cli.documents import read_spec
from api.cli.errors import CommandError
from api.cli.prompts import ask_and_write, file_from_terminal
from tests.unit.data_folders import write_classes


def _answer(*answers: str) -> Result:
    prompts = typer.Typer()
    prompts.command()(lambda: print(ask_and_write()))
    return CliRunner().invoke(prompts, input="".join(f"{answer}\n" for answer in answers))


def test_answers_become_a_valid_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "My Beans", {"arabica": 3, "robusta": 2})
    done = _answer("My Beans", "", "48", "7", "", "90000")
    assert done.exit_code == 0, done.output
    assert "found 3 arabica, 2 robusta" in done.stderr
    assert done.stdout.splitlines()[-1].strip() == "my-beans.yaml"
    spec = read_spec(tmp_path / "my-beans.yaml")
    assert (spec.name, spec.dataset.path) == ("my-beans", str(tmp_path / "My Beans"))
    assert spec.space.image_size == (48,)
    assert (spec.budget.max_trials, spec.budget.max_minutes) == (7, 30)
    assert [constraint.max for constraint in spec.constraints] == [90000]


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "images", {"a": 1, "b": 1})
    (tmp_path / "taken.yaml").touch()
    done = _answer("nowhere", "images/a", "images", "taken", "mine", "many", "64", "0", "5", "5", "5")
    assert done.stdout.splitlines()[-1].strip() == "mine.yaml"
    for complaint in ("nowhere is no folder", "fewer than two folders", "exists already", "such as 64, 96", "above 0"):
        assert complaint in done.stderr


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(CommandError, match="name the study's file"):
            file_from_terminal()
