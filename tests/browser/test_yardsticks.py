"""What a study of pretrained networks shows beside its winners: its yardsticks, and which families won."""

from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import Engine

from benchmarks.parts.api_server import api_server
from search.contract.states import StudyState
from search.contract.trials import TrialRole
from services.store import studies
from tests.browser.conftest import OpenPage, TakePicture
from tests.integration.records import make_study, make_trial, make_variant

_FACTORY = "benchmarks.parts.api_server:seedleaf"
PRETRAINED, SMALL = {"family": "pretrained"}, {"family": "blocks-small"}


def _pretrained_study(engine: Engine) -> str:
    """A study of two families with both yardsticks, two trials of pretrained networks and one of another."""
    study_id = make_study(engine, space={"architecture": ["pretrained", "blocks-small"]})
    probe = make_trial(engine, study_id, role=TrialRole.PROBE, assignment=PRETRAINED, f1=0.7, latency_ms=1.0)
    make_variant(engine, study_id, probe, f1=0.7, latency_ms=1.0)
    for role, assignment, f1, latency_ms in (
        (TrialRole.PLAIN, PRETRAINED, 0.914, 1.6),
        (None, PRETRAINED, 0.833, 0.32),
        (None, PRETRAINED, 0.62, 0.9),
        (None, SMALL, 0.61, 0.11),
    ):
        trial_id = make_trial(engine, study_id, role=role, assignment=assignment, f1=f1, latency_ms=latency_ms)
        make_variant(engine, study_id, trial_id, f1=f1, latency_ms=latency_ms)
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.COMPLETED, reason="for a test")
    return study_id


def test_the_page_shows_the_yardsticks_and_the_families_that_won(
    engine: Engine, database_url: str, tmp_path: Path, open_page: OpenPage, take_picture: TakePicture
) -> None:
    study_id = _pretrained_study(engine)
    with api_server(_FACTORY, database_url, str(tmp_path)) as url:
        page = open_page(f"{url}/#/studies/{study_id}", viewport={"width": 1280, "height": 1400})
        panel = page.get_by_role("region", name="What the search is compared with")
        expect(panel).to_contain_text("F1 0.914 at 1.60")
        expect(panel).to_contain_text("F1 0.700 at 1.00")
        expect(panel).to_contain_text("F1 0.833 at 0.320")
        rows = panel.get_by_role("region", name="Families of networks").locator("tbody tr")
        expect(rows).to_have_text(["pretrained42", "blocks-small11"])
        front = page.get_by_role("region", name="Pareto front")
        expect(front.get_by_text("plain way", exact=True)).to_be_visible()
        expect(front.get_by_text("linear probe", exact=True)).to_be_visible()
        leaderboard = page.get_by_role("region", name="Leaderboard: one row per trial")
        expect(leaderboard).to_contain_text("#0 linear probe")
        take_picture(page, "yardsticks")


def test_a_study_of_one_family_without_yardsticks_says_nothing_of_either(
    engine: Engine, database_url: str, tmp_path: Path, open_page: OpenPage
) -> None:
    study_id = make_study(engine)
    make_variant(engine, study_id, make_trial(engine, study_id))
    with api_server(_FACTORY, database_url, str(tmp_path)) as url:
        page = open_page(f"{url}/#/studies/{study_id}")
        expect(page.get_by_role("heading", name="The model to ship")).to_be_visible()
        expect(page.get_by_role("region", name="What the search is compared with")).to_be_hidden()
