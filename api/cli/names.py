"""The studies and trials that a command line names: by id, the beginning of an id, a name or a number."""

from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.client.client import Client
from api.client.errors import RequestRejectedError
from api.client.resources import Study

LATEST = "latest"
_MOST_NAMED = 5
#: For commands that work on one study.
StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study's id or the beginning of it, its name, or `latest`.")
]
#: For commands that work on one trial.
TrialName = Annotated[
    str,
    typer.Argument(
        metavar="TRIAL", help="A trial's id, STUDY/NUMBER, or its number alone: a trial of the newest study."
    ),
]
_NO_STUDY = "there is no study yet: create one with `seedleaf study create SPEC`"


def find_study(client: Client, wanted: str) -> Study:
    """The study that is meant. RequestRejectedError if there is none, CommandError if there is more than one."""
    if wanted == LATEST:
        return _newest(client)
    try:
        return client.get_study(wanted)
    except RequestRejectedError as error:
        if error.status != 404:
            raise
        studies = list(client.iter_studies())
        named = [study for study in studies if study.name == wanted]
        found = named or [study for study in studies if study.id.startswith(wanted)]
        if not found:
            raise
    if len(found) > 1:
        ids = ", ".join(study.id for study in found[:_MOST_NAMED])
        raise CommandError(f"{len(found)} studies are meant by {wanted!r}: give an id, such as {ids}")
    return found[0]


def find_trial_id(client: Client, wanted: str) -> str:
    """The id of the trial that is meant. CommandError if its study has no trial of that number."""
    study_name, _, number = wanted.rpartition("/")
    if not number.isdecimal():
        return wanted
    study = find_study(client, study_name or LATEST)
    for trial in client.iter_trials(study_id=study.id, sort="number"):
        if trial.number == int(number):
            return trial.id
    raise CommandError(f"study {study.name} ({study.id}) has no trial {int(number)}: `seedleaf leaderboard` lists them")


def _newest(client: Client) -> Study:
    newest = client.list_studies(limit=1).items
    if not newest:
        raise CommandError(_NO_STUDY)
    return newest[0]
