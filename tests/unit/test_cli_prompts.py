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


def test_a_study_of_pretrained_networks_asks_for_the_minutes_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "images", {"a": 1, "b": 1})
    done = _answer("images", "mine", "", "10")
    assert done.exit_code == 0, done.output
    spec = read_spec(tmp_path / "mine.yaml")
    assert (spec.name, spec.dataset.path) == ("mine", str(tmp_path / "images"))
    assert (spec.space.architecture, spec.budget.max_minutes) == ("pretrained", 10)
    assert len((tmp_path / "mine.yaml").read_text().splitlines()) == 5


def test_answers_become_a_valid_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "My Beans", {"arabica": 3, "robusta": 2})
    done = _answer("My Beans", "", "n", "48", "7", "", "90000")
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
    done = _answer("nowhere", "images/a", "images", "taken", "mine", "n", "many", "64", "0", "5", "5", "5")
    assert done.stdout.splitlines()[-1].strip() == "mine.yaml"
    for complaint in ("nowhere is no folder", "fewer than two folders", "exists already", "such as 64, 96", "above 0"):
        assert complaint in done.stderr


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(CommandError, match="name the study's file"):
            file_from_terminal()
