"""``seedleaf compress``: apply one more recipe to a trial."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.documents import read_recipe
from api.cli.names import TrialName, find_trial_id
from api.cli.output import TextFormat, print_json
from api.client.client import Client

_FILE_SUFFIXES = (".yaml", ".yml", ".json")


def compress(
    trial: TrialName,
    recipe: Annotated[
        str, typer.Option(help="A name that seedleaf recipes lists, or a YAML file with name and steps.")
    ],
    format_: TextFormat = "text",
) -> None:
    """Queue one more compression recipe for a trial."""
    wanted = read_recipe(Path(recipe)) if Path(recipe).suffix in _FILE_SUFFIXES else recipe
    with Client() as client:
        trial_id = find_trial_id(client, trial)
        job = client.compress_trial(trial_id, wanted)
        study_id = client.get_trial(trial_id).study_id
    if format_ == "json":
        print_json(job)
    else:
        print(f"{job.id} is {job.state}; its result will appear in: seedleaf leaderboard {study_id} --variants")
