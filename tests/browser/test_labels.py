"""Names with markup are shown in the charts as they are written: nothing in them is bold, a picture or a link."""

from contextlib import closing
from pathlib import Path

import optuna
import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import Engine

from search.contract.epochs import ClassificationScores
from search.contract.states import TrialState
from search.samplers.optuna_trials import chooser_of
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from services.store import studies, trials, variants
from services.store.ids import new_id
from tests.browser.conftest import OpenPage
from tests.integration.records import CANDIDATE, METRICS, make_study, make_variant
from tests.integration.security import serving

_NAME = "<b>x</b><img src=x>&amp;"
_NOTES = [_NAME, "plain"]
_BLOCK = {"layers": [[1, "Conv", ["$width", 3, 1, None, 1, "$note"]]], "parameters": {"width": [8, 16], "note": _NOTES}}
_HEAD = {"name": "head", "blocks": {"pool": [[1, "GlobalAvgPool", []], [1, "FixedConv", ["$classes"]]]}}
_SPACE = {"architecture": {"stages": [{"name": "stem", "blocks": {"conv": _BLOCK}}], "head": [_HEAD]}}

#: Shows what is shown while the pointer is on the first point of a trace.
_HOVER = """(chart, name) => {
    const curveNumber = chart.data.findIndex((trace) => trace.name.startsWith(name) && trace.x.length);
    Plotly.Fx.hover(chart, [{curveNumber, pointNumber: 0}]);
}"""


@pytest.fixture
def trial_ids(engine: Engine) -> list[str]:
    """The completed trials of a study whose classes, choices and recipes have markup in their names."""
    study_id = make_study(engine, name=_NAME, space=_SPACE)
    sampler = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    ids = []
    for number in range(16):
        asked = sampler.ask()
        draw(SpaceSpec.model_validate(_SPACE), chooser_of(asked), classes=2)
        trial_id = new_id("trial")
        ids.append(trial_id)
        f1 = 0.5 + 0.02 * number
        scores = ClassificationScores(f1=f1, accuracy=f1, per_class_f1=(0.5, 0.5), confusion=((3, 1), (2, 4)))
        with engine.begin() as connection:
            trials.add(
                connection,
                trial_id=trial_id,
                study_id=study_id,
                number=number,
                candidate=CANDIDATE,
                assignment=asked.params,
                metrics={},
            )
            trials.end(
                connection, trial_id, TrialState.COMPLETED, metrics={**METRICS, "f1": f1}, host="a host", scores=scores
            )
            weights = {"sha256": "0" * 64, "kind": "weights", "size_bytes": 1, "trial_id": trial_id}
            variants.add_artifact(connection, {"id": new_id("artifact"), **weights})
            studies.set_values(connection, study_id, classes=[_NAME, "other"])
    make_variant(engine, study_id, ids[-1], recipe=_NAME)
    return ids


def test_markup_in_names_is_shown_as_it_is_written(
    engine: Engine, database_url: str, tmp_path: Path, trial_ids: list[str], open_page: OpenPage
) -> None:
    with (
        serving(database_url, tmp_path) as client,
        closing(open_page(str(client.base_url.join(f"/#/trials/{trial_ids[-1]}")))) as page,
    ):
        _expect_as_written(page.get_by_role("region", name="Per class"))
        _expect_as_written(page.get_by_role("region", name="Latencies of its variants"))
        (study_id,) = {study["id"] for study in client.get("/studies").json()["items"]}
        page.goto(str(client.base_url.join(f"/#/studies/{study_id}")))
        _expect_as_written(page.get_by_role("region", name="Parameters and results of the trials"))
        front = page.get_by_role("region", name="Pareto front")
        expect(front.locator("path.point").first).to_be_attached()
        front.locator(".chart").evaluate(_HOVER, "Variants")
        _expect_as_written(front)


def _expect_as_written(part: Locator) -> None:
    """The whole name is a text of a chart in this part, and none of its markup was followed."""
    expect(part.locator("svg text, g.hovertext text").filter(has_text=_NAME).first).to_be_attached()
    expect(part.locator("svg tspan[style*=bold], g.hovertext tspan[style*=bold]")).to_have_count(0)
