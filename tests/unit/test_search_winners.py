"""The picks of a study: on the front, within a point of the best, and never by a difference that is noise."""

from hypothesis import given
from hypothesis import strategies as st

from search.study.winners import TOLERATED_F1, Figures, winners


def _model(name: str, f1: float, latency_ms: float, *, within: float = 0.01, score: float | None = 1.0) -> Figures:
    low_ms, high_ms = latency_ms * (1 - within), latency_ms * (1 + within)
    return Figures(id=name, f1=f1, latency_ms=latency_ms, low_ms=low_ms, high_ms=high_ms, score=score)


_MODELS = st.lists(
    st.builds(
        _model,
        st.uuids().map(str),
        st.integers(0, 50).map(lambda f1: f1 / 50),
        st.floats(0.05, 5),
        within=st.floats(0, 0.4),
        score=st.none() | st.floats(0, 2),
    ),
    min_size=1,
    max_size=12,
)


@given(_MODELS)
def test_the_front_holds_exactly_what_no_other_model_dominates(models: list[Figures]) -> None:
    chosen = winners(models).front
    for model in models:
        dominated = any(
            other.f1 >= model.f1
            and other.latency_ms <= model.latency_ms
            and (other.f1, other.latency_ms) != (model.f1, model.latency_ms)
            for other in models
        )
        equal = [other.id for other in models if (other.f1, other.latency_ms) == (model.f1, model.latency_ms)]
        assert sum(name in chosen for name in equal) == (0 if dominated else 1)


@given(_MODELS)
def test_the_recommended_model_is_on_the_front_and_as_fast_as_any_within_a_point_of_the_best(
    models: list[Figures],
) -> None:
    by_name, found = {model.id: model for model in models}, winners(models)
    recommended = by_name[found.recommended]
    good_enough = [model for model in models if model.f1 >= max(by_name[name].f1 for name in by_name) - TOLERATED_F1]
    fastest = min(good_enough, key=lambda model: model.latency_ms)
    assert recommended.id in found.front
    assert recommended in good_enough
    assert recommended.latency_ms == fastest.latency_ms or recommended.low_ms <= max(
        model.high_ms for model in good_enough if model.latency_ms == fastest.latency_ms
    )
    assert set(found.ties) == {
        model.id for model in good_enough if model is not recommended and model.ties_with(recommended)
    }
    scores = {model.id: model.score for model in models if model.score is not None}
    assert (found.best_score is None) == (not scores)
    assert found.best_score is None or scores[found.best_score] == min(scores.values())


def test_of_models_that_are_equally_fast_for_all_that_is_known_the_better_is_recommended() -> None:
    models = [_model("good", 0.80, 0.200), _model("noise", 0.795, 0.199), _model("fast", 0.70, 0.100)]
    found = winners(models)
    assert (found.recommended, found.ties) == ("good", ("noise",))


def test_a_point_of_f1_is_given_up_for_a_speed_that_is_certain() -> None:
    models = [_model("good", 0.80, 0.200), _model("nearly", 0.795, 0.150), _model("fast", 0.70, 0.100)]
    assert winners(models).recommended == "nearly"


def test_the_knee_is_where_the_front_bends() -> None:
    bent = [_model("slow", 0.80, 1.0), _model("knee", 0.78, 0.3), _model("fast", 0.40, 0.2)]
    hollow = [_model("slow", 0.80, 1.0), _model("poor", 0.45, 0.9), _model("fast", 0.40, 0.2)]
    assert winners(bent).knee == "knee"
    assert winners(hollow).knee is None
    assert winners(bent[:2]).knee is None
