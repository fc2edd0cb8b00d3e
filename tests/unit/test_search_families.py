"""Several families of networks in one study: what is drawn, what its parameters are called, and how a spec says it."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search.contract.recipes import default_recipe
from search.contract.trials import TrialRole
from search.samplers.describe import describing
from search.samplers.frontier import FrontierSampler
from search.samplers.optuna_trials import Replay, chooser_of, directions
from search.spaces.families import count_networks, draw_network
from search.spaces.presets import PRESETS
from search.spaces.pretrained import PRETRAINED_EPOCHS, PRETRAINED_PRESETS, backbone_space
from search.spaces.size import space_size
from search.study.draw import draw
from search.study.enqueue import candidate_at, checked_point
from search.study.space_spec import SpaceSpec
from search.study.spec import StudySpec, spec_problems
from search.study.yardsticks import first_side_px, probe_candidate, yardsticks
from tests.unit.choosers import Chance
from workers.models import cost_metrics, features

BOTH = ("pretrained", "blocks-small")
DATASET = {"source": "sklearn"}


def study(space: dict[str, object], **fields: object) -> StudySpec:
    return StudySpec.model_validate({"name": "families", "dataset": DATASET, "space": space, **fields})


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_parameter_of_a_drawn_network_is_its_familys_own(seed: int) -> None:
    chooser = Chance(seed)
    network = draw_network(BOTH, chooser, side_px=64, classes=6)
    family = chooser.values["family"]
    others = {name for name in chooser.values if name != "family"}
    assert others
    assert all(name.startswith(f"{family}.") for name in others)
    assert (network.backbone[0][1] == "TimmStem") == (family == "pretrained")
    assert draw_network(BOTH, Replay(values=chooser.values), side_px=64, classes=6) == network


def test_a_single_family_is_drawn_under_the_names_that_it_always_had() -> None:
    chooser = Chance(0)
    draw_network("blocks-small", chooser, side_px=64, classes=6)
    assert "family" not in chooser.values
    assert not any(name.startswith("blocks-small") for name in chooser.values)


def test_the_networks_of_several_families_are_counted_together() -> None:
    sizes = [space_size(PRESETS[name], side_px=64) for name in BOTH]
    assert count_networks(BOTH, sides_px=[64, 64]) == 2 * sum(sizes)


@pytest.mark.parametrize("architecture", ["mobile", ["mobile", "blocks-small"], ["pretrained", "mobile"]])
def test_a_spec_comes_back_as_it_was_written(architecture: object) -> None:
    spec = SpaceSpec.model_validate({"architecture": architecture})
    assert spec.model_dump(mode="json")["architecture"] == architecture
    assert SpaceSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_a_list_of_one_is_that_one() -> None:
    assert SpaceSpec.model_validate({"architecture": ["mobile"]}).architecture == "mobile"


@pytest.mark.parametrize(
    ("architecture", "field", "message"),
    [
        ([], "space.architecture", "one or more"),
        (["mobile", "mobile"], "space.architecture", "each once"),
        (["pretrained", "tf_efficientnet_lite0"], "space.architecture", "pretrained is tf_efficientnet_lite0"),
        (["mobile", "moblie"], "space.architecture", "unknown architecture 'moblie'"),
        (["mobile", {"stages": []}], "space.architecture[1].stages", "at least 1"),
    ],
)
def test_a_mistake_in_a_list_is_named_where_it_is(architecture: object, field: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        study({"architecture": architecture})
    (problem, *_) = spec_problems([dict(detail) for detail in raised.value.errors()])
    assert problem["field"] == field
    assert message in problem["message"]


@pytest.mark.parametrize("architecture", ["pretrained", "resnet18", ["blocks-small", "mobilenetv3_small_050"]])
def test_pretrained_networks_are_fine_tuned_by_default(architecture: object) -> None:
    spec = study({"architecture": architecture})
    assert spec.space.optimizer == ("adamw",)
    assert max(spec.space.image_size) == 96


@pytest.mark.parametrize(
    ("architecture", "count"),
    [
        ("pretrained", 2),
        (["pretrained"], 2),
        (["pretrained", "mobile"], 2),
        ("resnet18", 1),
        (["resnet18", "blocks-small", "tinynet_e"], 1 + 3),
    ],
)
def test_the_points_that_pretrained_networks_try_first_are_points_of_the_space(
    architecture: object, count: int
) -> None:
    spec = study({"architecture": architecture, "image_size": 32})
    assert len(spec.first_points) == count
    for point in spec.first_points:
        assert checked_point(spec.space, point) == dict(point)


def test_a_cut_of_every_backbone_is_tried_before_the_whole_of_any() -> None:
    points = [dict(point) for point in study({"architecture": ["pretrained", "resnet18"]}).first_points]
    sides = [point["image_size"] for point in points]
    assert sides == [32, 32, 64, 64, 64, 64, 64]
    cuts = [(point["family"], point[f"{point['family']}.stages"]) for point in points]
    assert cuts[:2] == [("pretrained", 5), ("resnet18", 4)]
    assert cuts[2:] == [("pretrained", 5), ("resnet18", 4), ("pretrained", 6), ("pretrained", 9), ("resnet18", 5)]


@pytest.mark.parametrize("architecture", ["pretrained", ["pretrained"], ["pretrained", "mobile"]])
@pytest.mark.parametrize("learning_rate", [{"low": 0.001, "high": 0.01}, {"low": 0.015, "high": 0.1, "log": True}, 0.2])
def test_the_plain_way_is_a_point_of_the_space_with_the_whole_network_at_its_largest_side(
    architecture: object, learning_rate: object
) -> None:
    spec = study({"architecture": architecture, "learning_rate": learning_rate, "image_size": [96, 48]})
    (plain,) = [trial for trial in yardsticks(spec.space) if trial.role is TrialRole.PLAIN]
    assert checked_point(spec.space, plain.assignment) == plain.assignment
    assert plain.assignment["image_size"] == 96
    (network,) = {value for name, value in plain.assignment.items() if name.endswith("stages")}
    assert network == len(PRETRAINED_PRESETS["pretrained"].stages)


def test_the_probe_comes_first_on_the_whole_network_at_the_middle_side() -> None:
    space = study({"architecture": "pretrained", "image_size": [96, 48, 64]}).space
    probe, plain = yardsticks(space)
    assert (probe.role, plain.role) == (TrialRole.PROBE, TrialRole.PLAIN)
    candidate = probe_candidate(space, probe.assignment, classes=4)
    assert (candidate.image_size, first_side_px(space), candidate.method) == (64, 64, "linear-probe")
    trained = candidate_at(space, plain.assignment, classes=4)
    assert candidate.architecture.backbone == trained.architecture.backbone
    assert (trained.image_size, trained.method) == (96, "training")


def test_only_studies_of_pretrained_networks_have_first_points_and_yardsticks() -> None:
    assert not study({"architecture": "mobile"}).first_points
    assert yardsticks(study({"architecture": "mobile"}).space) == ()


def test_what_a_study_says_itself_comes_before_the_defaults_of_pretrained() -> None:
    spec = study({"architecture": "pretrained", "optimizer": "sgd", "image_size": 32}, budget={"epochs": 3})
    assert spec.first_points
    assert (spec.space.optimizer, spec.space.image_size, spec.budget.epochs) == (("sgd",), (32,), 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_only_pretrained_networks_have_a_layer_decay_to_choose(seed: int) -> None:
    space = SpaceSpec.model_validate({"architecture": BOTH, "layer_decay": [0.0, 0.5]})
    chooser = Chance(seed)
    candidate = draw(space, chooser, classes=6)
    assert ("layer_decay" in chooser.values) == (chooser.values["family"] == "pretrained")
    assert candidate.layer_decay == chooser.values.get("layer_decay", 1.0)


def test_a_layer_decay_without_pretrained_networks_is_refused() -> None:
    with pytest.raises(ValidationError, match="layer_decay is for pretrained networks of timm"):
        SpaceSpec.model_validate({"architecture": "blocks-small", "layer_decay": 0.5})


def test_networks_of_timm_with_fresh_weights_train_all_lines_alike() -> None:
    fresh = backbone_space("resnet18", weights=None)
    space = SpaceSpec.model_validate({"architecture": fresh, "layer_decay": 0.5})
    assert draw(space, Chance(0), classes=6).layer_decay == 1.0


def test_pretrained_networks_have_recipes_without_training_unless_others_are_given() -> None:
    compression = study({"architecture": "pretrained"}).compression
    assert compression.recipes == (default_recipe("fp32"), default_recipe("static-int8"))
    assert compression.max_candidates == 10
    spec = {"name": "s", "dataset": {"source": "sklearn"}, "space": {"architecture": "pretrained"}}
    given = StudySpec.model_validate({**spec, "compression": {"recipes": "search"}, "budget": {"epochs": 3}})
    assert (given.compression.recipes, given.compression.max_candidates) == ("search", 10)
    assert given.budget.epochs == 3


@pytest.mark.parametrize(
    ("budget", "trials"), [({}, 20), ({"max_minutes": 5}, 1000), ({"max_minutes": 5, "max_trials": 7}, 7)]
)
def test_minutes_alone_do_not_end_a_search_after_20_trials(budget: dict[str, object], trials: int) -> None:
    spec = StudySpec.model_validate({"name": "s", "dataset": {"source": "sklearn"}, "budget": budget})
    assert spec.budget.max_trials == trials


def test_the_first_trials_of_two_families_are_of_both_and_their_macs_differ_by_a_factor_of_ten() -> None:
    spec = study({"architecture": BOTH})
    describe = describing(spec, classes=6, profile=cost_metrics, features=features)
    search = optuna.create_study(directions=directions(spec), sampler=FrontierSampler(describe=describe, seed=0))
    _, plain = yardsticks(spec.space)
    for point in (plain.assignment, *spec.first_points):
        search.enqueue_trial(dict(point))
    families, macs = [], []
    for _ in range(8):
        trial = search.ask()
        candidate = draw(spec.space, chooser_of(trial), classes=6)
        macs.append(cost_metrics(candidate)["macs"])
        families.append(trial.params["family"])
        search.tell(trial, [0.5, 0.1])
    assert families[:2] == ["pretrained"] * 2
    assert sorted(families.count(family) for family in BOTH) == [3, 5]
    assert max(macs) >= 10 * min(macs)


@pytest.mark.parametrize("name", sorted(PRETRAINED_PRESETS))
def test_the_first_points_of_every_pretrained_preset_are_in_its_space(name: str) -> None:
    for architecture in (name, [name, "blocks-small"]):
        spec = study({"architecture": architecture})
        assert spec.first_points
        assert all(checked_point(spec.space, point) for point in spec.first_points)


def test_the_epochs_of_a_trial_are_those_of_its_family() -> None:
    spec = study({"architecture": BOTH}, budget={"epochs": 20, "epochs_of": {"pretrained": 6}})
    assert [spec.epochs_for({"family": family}) for family in BOTH] == [6, 20]
    assert spec.epochs_for({}) == spec.most_epochs == 20


def test_the_first_points_are_trained_as_one_would_by_hand() -> None:
    for point in study({"architecture": "pretrained"}).first_points:
        assert (point["learning_rate"], point["epochs"]) == (0.04, 8)
    augmentation = {"ops": ["HorizontalFlip", "CutMix"]}
    settings = {"learning_rate": {"low": 0.1, "high": 0.2}, "epochs": 3, "augmentation": augmentation}
    for point in study({"architecture": "pretrained", **settings}).first_points:
        assert point["learning_rate"] == 0.1
        assert (point["augmentation.HorizontalFlip"], point["augmentation.CutMix"]) == (True, False)
        assert "epochs" not in point
    assert study({"architecture": "pretrained"}, enqueue=[]).first_points == ()


def test_epochs_that_the_space_offers_are_a_parameter_and_take_the_place_of_the_budgets() -> None:
    spec = study({"architecture": "blocks-small", "epochs": [2, 9]}, budget={"epochs": 5})
    assert [spec.epochs_for({"epochs": epochs}) for epochs in (2, 9)] == [2, 9]
    assert (spec.epochs_for({}), spec.most_epochs) == (2, 9)
    assert checked_point(spec.space, {"epochs": 9}) == {"epochs": 9}
    assert study({"architecture": "blocks-small", "epochs": 3}).epochs_for({}) == 3


def test_pretrained_networks_are_tried_with_several_epochs_unless_a_study_says_how_many() -> None:
    assert study({"architecture": "pretrained"}).space.epochs == PRETRAINED_EPOCHS
    assert study({"architecture": "pretrained"}, budget={"epochs": 3}).space.epochs is None
    assert study({"architecture": BOTH}, budget={"epochs_of": {"pretrained": 3}}).space.epochs is None
    stored = study({"architecture": "pretrained"}).model_dump(mode="json")
    assert StudySpec.model_validate(stored).space.epochs == PRETRAINED_EPOCHS


@pytest.mark.parametrize(
    ("architecture", "message"),
    [(["pretrained", "mobile"], r"\(blocks-small\); there are pretrained, mobile"), ("blocks-small", "there is one")],
)
def test_epochs_of_an_unknown_family_are_refused(architecture: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        study({"architecture": architecture}, budget={"epochs_of": {"blocks-small": 5}})
