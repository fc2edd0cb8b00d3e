"""Exit codes and messages of the command line without a server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from api.cli.commands import SUMMARIES
from api.cli.main import app, main
from tests.unit.scripted_server import Answer, scripted_server


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["study", "create", "nowhere.yaml"], "does not exist"),
        (["study", "extend", "study_1"], "--trials"),
        (["study", "extend", "study_1", "--trials", "0"], "greater than or equal to 1"),
        (["leaderboard", "--sort", "beauty"], "latency_ms"),
        (["leaderboard", "--format", "xml"], "csv"),
        (["compress", "trial_1"], "--recipe"),
        (["fetch", "variant_1"], "--out"),
        (["up", "--port", "70000"], "65535"),
        (["grow"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert complaint in result.output


def test_schema_prints_the_json_schema_of_a_spec() -> None:
    result = CliRunner().invoke(app, ["study", "schema"])
    assert result.exit_code == 0
    schema = json.loads(result.output)
    assert schema["additionalProperties"] is False
    assert {"name", "dataset", "space", "budget", "compression"} <= schema["properties"].keys()


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What ``seedleaf ARGUMENTS`` says when it fails."""
    monkeypatch.setattr(sys, "argv", ["seedleaf", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, str), "a text is printed and means exit code 1"
    return ended.value.code


def test_a_failure_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = b'{"title": "Not found", "status": 404, "detail": "no study \'study_1\'; list them to see what there is"}'
    with scripted_server([Answer(status=404, body=problem), Answer(body=b'{"items": [], "next": null}')]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        message = _main(monkeypatch, "study", "show", "study_1")
    assert message == "seedleaf: no study 'study_1'; list them to see what there is"


def test_without_any_study_the_leaderboard_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server([Answer(body=b'{"items": [], "next": null}')]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        assert "seedleaf study create" in _main(monkeypatch, "leaderboard")


def test_an_existing_folder_is_not_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "exists already" in _main(monkeypatch, "fetch", "variant_1", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


#: They run a server, or print JSON anyway.
_WITHOUT_FORMAT = {"up", "quickstart", "study schema"}


def test_every_command_can_be_read_by_a_program() -> None:
    options = {
        name: {option for item in command.params for option in item.opts} for name, command in _commands(_group())
    }
    assert {name for name, known in options.items() if "--format" not in known} <= _WITHOUT_FORMAT


def test_every_command_says_what_it_does_in_a_sentence() -> None:
    for name, command in _commands(_group()):
        assert command.help, name
        assert all(item.help for item in command.params if item.name != "help"), name


def test_the_help_tells_of_every_command_what_it_says_itself() -> None:
    told = {name: command.help.splitlines()[0] for name, command in _group().commands.items()}
    assert told == SUMMARIES


def _group() -> Any:
    return typer.main.get_command(app)


def test_the_shell_completes_commands() -> None:
    words = {"_SEEDLEAF_COMPLETE": "complete_bash", "COMP_WORDS": "seedleaf study re", "COMP_CWORD": "2"}
    seedleaf = str(Path(sys.executable).with_name("seedleaf"))
    done = subprocess.run([seedleaf], env={**os.environ, **words}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["resume"]
