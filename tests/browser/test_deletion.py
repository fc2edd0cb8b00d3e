"""A study is deleted on the page after a dialog that names it."""

from contextlib import closing
from pathlib import Path

from playwright.sync_api import expect
from sqlalchemy import Engine

from search.contract.states import StudyState
from tests.browser.conftest import OpenPage
from tests.integration.records import make_study
from tests.integration.security import serving


def test_a_study_that_has_ended_is_deleted_once_that_is_confirmed(
    engine: Engine, database_url: str, tmp_path: Path, open_page: OpenPage
) -> None:
    make_study(engine, name="running")
    ended = make_study(engine, StudyState.CANCELLED, name="ended")
    with (
        serving(database_url, tmp_path) as client,
        closing(open_page(str(client.base_url.join("/#/studies")))) as page,
    ):
        expect(page.get_by_role("link", name="running")).to_be_visible()
        expect(page.get_by_role("button", name="Delete running")).to_have_count(0)
        page.goto(str(client.base_url.join(f"/#/studies/{ended}")))
        page.get_by_role("button", name="Delete ended").click()
        dialog = page.get_by_role("dialog", name="Delete ended?")
        dialog.get_by_role("button", name="Back").click()
        assert client.get(f"/studies/{ended}").status_code == 200
        page.get_by_role("button", name="Delete ended").click()
        dialog.get_by_role("button", name="Delete the study").click()
        page.wait_for_url("**/#/studies")
        expect(page.get_by_role("link", name="running")).to_be_visible()
        expect(page.get_by_role("link", name="ended")).to_have_count(0)
        assert client.get(f"/studies/{ended}").status_code == 404
