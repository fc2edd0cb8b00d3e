"""A study's text is checked before it is posted: mistakes, size and time, whatever is typed."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.store import trials
from services.studies import spec_preview
from services.studies.spec_preview import Estimate
from tests.integration.records import EPOCH, make_study, make_trial

_DIGITS = "name: a\ndataset: {source: sklearn}\nbudget: {max_trials: 10, epochs: 4}\nresources: {concurrency: 2}\n"


def test_a_good_text_tells_its_size_and_without_earlier_trials_no_time(engine: Engine) -> None:
    with engine.connect() as connection:
        preview = spec_preview.check(connection, _DIGITS)
    assert (preview.problems, preview.estimate) == ([], None)
    assert isinstance(preview.document, dict)
    assert preview.document["budget"] == {"max_trials": 10, "epochs": 4}
    assert preview.networks is not None
    assert preview.networks > 1000


def test_the_time_is_told_from_what_trials_on_the_same_data_took(engine: Engine) -> None:
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    with engine.begin() as connection:
        for number in (1, 2):
            trials.add_epoch(connection, study_id, trial_id, replace(EPOCH, epoch=number, elapsed_s=2.0 * number))
    with engine.connect() as connection:
        estimate = spec_preview.check(connection, _DIGITS).estimate
        elsewhere = spec_preview.check(connection, _DIGITS.replace("source: sklearn", "source: folder, path: /x"))
    assert estimate == Estimate(trials=1, epoch_s=3.0, search_s=60.0, core_hours=120 / 3600, gpu_hours=0.0)
    assert elsewhere.estimate is None


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("name: [", "(the whole)", "line 1"),
        ("name: a\ndataset: {source: sklearn}\nspace: {image_size: 4}", "space.image_size", "8"),
        ("a: &x [1]\nb: *x", "(the whole)", "aliases"),
        ("name: !!timestamp 2020-01-01", "(the whole)", "tags"),
        ('name: "\\ud800"', "(the whole)", "surrogate"),
        ("name: .nan", "(the whole)", "not finite"),
        ("", "(the whole)", "StudySpec"),
    ],
)
def test_mistakes_are_named_with_their_place(engine: Engine, text: str, field: str, message: str) -> None:
    with engine.connect() as connection:
        (problem, *_) = spec_preview.check(connection, text).problems
    assert problem["field"].startswith(field)
    assert message in problem["message"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="name: a-[]{}&*!|>'\"\n\t0.e#%@`?,~", max_size=60))
def test_no_text_breaks_the_check(engine: Engine, text: str) -> None:
    with engine.connect() as connection:
        preview = spec_preview.check(connection, text)
    assert preview.problems or preview.networks
