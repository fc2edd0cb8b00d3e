"""A spec that no longer fits the schema must not take the listing of all studies down."""

from pathlib import Path

from sqlalchemy import Engine, update

from api.client.client import Client
from search.contract.states import StudyState, TrialState
from services.store import studies, trials
from services.store.tables import studies as studies_table
from tests.integration.records import make_study, make_trial
from tests.integration.security import serving

MOST_TRIALS = 1_000_000


def test_a_retry_beyond_the_largest_budget_is_refused_and_studies_are_still_listed(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    study_id = make_study(engine, budget={"max_trials": MOST_TRIALS})
    trial_id = make_trial(engine, study_id, TrialState.RUNNING)
    with engine.begin() as connection:
        trials.end(connection, trial_id, TrialState.FAILED, reason="for a test")
        studies.set_state(connection, study_id, StudyState.FAILED, reason="for a test")
    with serving(database_url, tmp_path) as client:
        refused = client.post(f"/trials/{trial_id}/retry")
        listed = client.get("/studies")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "budget.max_trials")
    assert [item["spec"]["budget"]["max_trials"] for item in listed.json()["items"]] == [MOST_TRIALS]
    with engine.connect() as connection:
        study = studies.get(connection, study_id)
    assert (study.state, study.stored_spec["budget"]) == (StudyState.FAILED, study.spec.budget.model_dump())


def test_a_stored_spec_beyond_todays_limits_is_shown_as_it_was_written(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    study_id = make_study(engine)
    with engine.begin() as connection:
        stored = dict(studies.get(connection, study_id).stored_spec)
        budget = {"max_trials": MOST_TRIALS + 1, "epochs": 5, "max_minutes": None, "max_failures": 5}
        sampler = {"name": "forgotten", "seed": 0}
        old = {**stored, "budget": budget, "sampler": sampler}
        connection.execute(update(studies_table).where(studies_table.c.id == study_id).values(spec=old))
    with serving(database_url, tmp_path) as client:
        for path in ("/studies", f"/studies/{study_id}", f"/studies/{study_id}/pareto", "/trials", "/metrics"):
            assert client.get(path).status_code == 200, path
        shown = client.get(f"/studies/{study_id}").json()["spec"]
        assert (shown["budget"], shown["sampler"]) == ({**budget, "epochs_of": {}}, sampler)
        with Client(str(client.base_url)) as reader:
            (read,) = reader.list_studies().items
            assert read.spec.budget.max_trials == MOST_TRIALS + 1
        extended = client.patch(f"/studies/{study_id}", json={"budget": {"max_minutes": 5}})
        assert (extended.status_code, extended.json()["errors"][0]["field"]) == (422, "budget.max_trials")
