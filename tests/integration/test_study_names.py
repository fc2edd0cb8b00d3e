"""How the command line finds studies and trials."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.cli.errors import CommandError
from api.cli.names import find_study, find_trial_id
from search.contract.states import StudyState
from seedleaf import Client, RequestRejectedError
from tests.integration.records import make_study, make_trial
from tests.integration.security import serving


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[Client]:
    with serving(database_url, tmp_path / "home") as http, Client(str(http.base_url)) as client:
        yield client


def test_a_study_is_found_by_its_id_the_beginning_of_it_its_name_or_as_the_latest(
    engine: Engine, client: Client
) -> None:
    first, second = (make_study(engine, StudyState.CANCELLED, name=name) for name in ("first", "second"))
    beginning = second[: len(second) - 4]
    for wanted, expected in ((first, first), ("first", first), (beginning, second), ("latest", second)):
        assert find_study(client, wanted).id == expected


def test_a_name_of_two_studies_is_refused_with_their_ids(engine: Engine, client: Client) -> None:
    ids = {make_study(engine, StudyState.CANCELLED, name="twice") for _ in range(2)}
    with pytest.raises(CommandError, match="2 studies are meant by 'twice'") as refusal:
        find_study(client, "twice")
    assert all(study_id in str(refusal.value) for study_id in ids)


def test_a_study_that_is_not_there_is_told(engine: Engine, client: Client) -> None:
    with pytest.raises(CommandError, match="there is no study yet"):
        find_study(client, "latest")
    make_study(engine, name="first")
    with pytest.raises(RequestRejectedError, match="no study 'nope'"):
        find_study(client, "nope")


def test_a_trial_is_found_by_its_number(engine: Engine, client: Client) -> None:
    old, new = (make_study(engine, name=name) for name in ("old", "new"))
    trials = {study_id: [make_trial(engine, study_id) for _ in range(2)] for study_id in (old, new)}
    assert find_trial_id(client, "1") == trials[new][1]
    assert find_trial_id(client, "old/1") == trials[old][1]
    assert find_trial_id(client, trials[old][0]) == trials[old][0]
    with pytest.raises(CommandError, match="has no trial 7"):
        find_trial_id(client, "old/7")
