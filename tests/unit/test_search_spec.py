"""StudySpec: what it accepts, every mistake at once with its path, and the way to JSON and back."""

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search.contract.augmentation import OPERATION_NAMES
from search.contract.metrics import NATURAL_GOALS, Constraint, Goal
from search.contract.recipes import DEFAULT_RECIPES, Recipe, StructuredPruning
from search.contract.values import Range
from search.study.spec import StudySpec, spec_problems

MINIMAL = {"name": "digits", "dataset": {"source": "sklearn"}}
EXAMPLE = """
name: trashnet-small
dataset:
  source: folder            # folder | coco | torchvision | sklearn
  path: ../shared/data/trashnet
  validation_fraction: 0.2
  subset_fraction: 0.4      # stratified share of the training split that a trial sees
  seed: 0
space:
  architecture: blocks-small            # a preset's name, or a space written out
  image_size: [64, 96]                  # a list is a choice; a number is fixed
  batch_size: [64, 128]
  learning_rate: {low: 0.01, high: 0.3, log: true}
  optimizer: [sgd, adamw]
  augmentation: {ops: all, max_ops: 3, magnitude: {low: 0.0, high: 1.0}, copies: [0, 1, 2]}
objectives:
  - {metric: f1, goal: maximize}
  - {metric: latency_ms, goal: minimize}
  - {metric: macs, goal: minimize}
  - {metric: params, goal: minimize}
constraints:
  - {metric: params, max: 1000000}
sampler: {name: tpe, seed: 0}           # tpe | nsga2 | gp | random
budget: {max_trials: 20, epochs: 5, max_minutes: 30, max_failures: 5}
resources: {concurrency: 2, cpus_per_trial: 1, gpus_per_trial: 0}
target: {runtime: onnxruntime, threads: 1}
score: {f1_reference: 0.70, f1_steepness: 20, time_reference_s: 43.16, time_weight: 0.5, images: 5217, overhead_s: 0}
compression: {candidates: pareto, max_candidates: 5, recipes: default}
"""


def problems(**fields: Any) -> dict[str, str]:
    """The message of each mistake by its path."""
    with pytest.raises(ValidationError) as caught:
        StudySpec.model_validate({**MINIMAL, **fields})
    found = spec_problems(caught.value.errors())
    assert len({problem["field"] for problem in found}) == len(found)
    return {problem["field"]: problem["message"] for problem in found}


def test_the_example_of_the_design_parses() -> None:
    spec = StudySpec.model_validate(yaml.safe_load(EXAMPLE))
    assert spec.space.image_size == (64, 96)
    assert spec.space.learning_rate == Range(low=0.01, high=0.3, log=True)
    assert spec.space.augmentation is not None
    assert spec.space.augmentation.ops == OPERATION_NAMES
    assert [objective.metric for objective in spec.objectives] == ["f1", "latency_ms", "macs", "params"]
    assert spec.constraints == (Constraint(metric="params", max=1_000_000),)
    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_name_and_a_data_set_are_enough() -> None:
    spec = StudySpec.model_validate(MINIMAL)
    assert [objective.metric for objective in spec.objectives] == ["f1", "latency_ms"]
    assert problems(name="", dataset={}) == {
        "name": "String should have at least 1 character",
        "dataset.source": "Field required",
    }


def test_every_mistake_is_told_at_once_with_its_path() -> None:
    found = problems(
        colour="red",
        dataset={"source": "sklearn", "seed": -1},
        space={
            "depth": 3,
            "image_size": [64, 4],
            "learning_rate": {"low": 0.3, "high": 0.1},
            "optimizer": ["sgd", "lion"],
            "augmentation": {"ops": ["Rotate", "Melt"], "magnitude": 2, "copies": [0, 0]},
        },
        objectives=[{"metric": "f1", "goal": "up"}],
        constraints=[{"metric": "params", "max": 10}, {"metric": "params"}, {"metric": "f1", "min": 0.9, "max": 0.1}],
        budget={"max_trials": 0},
    )
    assert set(found) == {
        "colour",
        "dataset.seed",
        "space.depth",
        "space.image_size[1]",
        "space.learning_rate",
        "space.optimizer[1]",
        "space.augmentation.ops[1]",
        "space.augmentation.magnitude",
        "space.augmentation.copies",
        "objectives[0].goal",
        "constraints[1]",
        "constraints[2]",
        "budget.max_trials",
    }
    assert found["space.learning_rate"] == "low 0.3 is above high 0.1"
    assert found["space.augmentation.magnitude"] == "must lie within 0.0 to 1.0, got 2.0 to 2.0"
    assert found["space.augmentation.copies"] == "a choice is listed twice: 0"
    assert found["constraints[2]"] == "min 0.9 is above max 0.1"


def test_something_else_than_a_mapping_is_a_problem_of_the_whole() -> None:
    with pytest.raises(ValidationError) as caught:
        StudySpec.model_validate(["a", "list"])
    assert [problem["field"] for problem in spec_problems(caught.value.errors())] == ["(the whole)"]


@pytest.mark.parametrize(
    "path",
    ["", "dataset", "space", "space.augmentation", "sampler", "budget", "resources", "target", "score", "compression"],
)
def test_unknown_keys_are_rejected_everywhere(path: str) -> None:
    document: dict[str, Any] = yaml.safe_load(EXAMPLE)
    part = document
    for key in filter(None, path.split(".")):
        part = part[key]
    part["typo"] = 1
    field = f"{path}.typo".removeprefix(".")
    with pytest.raises(ValidationError) as caught:
        StudySpec.model_validate(document)
    assert spec_problems(caught.value.errors()) == [{"field": field, "message": "Extra inputs are not permitted"}]


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"space": {"architecture": "huge"}}, "space.architecture", "known: baseline-blocks, blocks-small"),
        ({"space": {"image_size": []}}, "space.image_size", "an empty list: name at least one value"),
        ({"space": {"learning_rate": {"low": 0, "high": 1, "log": True}}}, "space.learning_rate", "starts above 0"),
        ({"space": {"learning_rate": 0}}, "space.learning_rate", "must lie within 1e-06 to 10.0, got 0.0 to 0.0"),
        (
            {"objectives": [{"metric": "f1", "goal": "maximize"}, {"metric": "f1", "goal": "minimize"}]},
            "objectives",
            "a metric is an objective twice: f1",
        ),
        ({"more_targets": [{"threads": 1}]}, "(the whole)", "the same target twice (onnxruntime, 1 thread)"),
        ({"compression": {"budget": {"evaluations": 9}}}, "compression", "a budget is for recipes: search"),
        ({"compression": {"recipes": ["zip"]}}, "compression.recipes[0]", "unknown recipe 'zip'; known: fp32, "),
    ],
)
def test_a_mistake_says_what_there_is_to_choose_from(fields: dict[str, Any], path: str, message: str) -> None:
    assert message in problems(**fields)[path]


def test_no_text_holds_a_character_that_a_database_cannot() -> None:
    dataset = {"source": "parquet", "path": "a\0", "image_column": "b\0", "label_column": "c\0"}
    assert set(problems(name="d\0", dataset=dataset)) == {
        "name",
        "dataset.path",
        "dataset.image_column",
        "dataset.label_column",
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("space.learning_rate.low", lambda number: {"space": {"learning_rate": {"low": number, "high": 0.1}}}),
        ("space.learning_rate.high", lambda number: {"space": {"learning_rate": {"low": 0.1, "high": number}}}),
        ("constraints[0].max", lambda number: {"constraints": [{"metric": "params", "max": number}]}),
        ("budget.max_minutes", lambda number: {"budget": {"max_minutes": number}}),
        ("resources.cpus_per_trial", lambda number: {"resources": {"cpus_per_trial": number}}),
        ("score.time_weight", lambda number: {"score": {"time_weight": number}}),
    ],
)
def test_numbers_are_finite_since_json_has_no_others(path: str, fields: Any, number: float) -> None:
    assert set(problems(**fields(number))) == {path}


@pytest.mark.parametrize(
    ("resources", "path", "words"),
    [
        ({"cpus_per_trial": 0.001}, "resources.cpus_per_trial", "greater than or equal to 0.5"),
        ({"cpus_per_trial": 0.49}, "resources.cpus_per_trial", "greater than or equal to 0.5"),
        ({"gpus_per_trial": 0.001}, "resources.gpus_per_trial", "0, or at least 0.02 of a GPU"),
        ({"gpus_per_trial": 1.5}, "resources.gpus_per_trial", "above 1, a whole number of GPUs"),
        ({"gpus_per_trial": math.inf}, "resources.gpus_per_trial", "finite number"),
    ],
)
def test_a_trial_gets_no_less_than_it_can_run_with(resources: dict[str, float], path: str, words: str) -> None:
    (problem,) = problems(resources=resources).items()
    assert problem[0] == path
    assert words in problem[1]


@pytest.mark.parametrize("resources", [{"cpus_per_trial": 0.5}, {"gpus_per_trial": 0.02}, {"gpus_per_trial": 2}])
def test_the_least_and_whole_gpus_are_accepted(resources: dict[str, float]) -> None:
    StudySpec.model_validate({**MINIMAL, "resources": resources})


@pytest.mark.parametrize(
    ("compression", "words"),
    [
        ({"max_candidates": 1000, "recipes": [{"name": f"r{n}", "steps": []} for n in range(21)]}, "21 recipes each"),
        ({"max_candidates": 100, "recipes": "search", "budget": {"evaluations": 201}}, "201 recipes each"),
    ],
)
def test_a_study_makes_a_bounded_number_of_compression_jobs(compression: dict[str, Any], words: str) -> None:
    (problem,) = problems(compression=compression).items()
    assert problem[0] == "compression"
    assert words in problem[1]
    assert "more than 20,000 compression jobs" in problem[1]


def test_recipes_may_be_named_or_written_out() -> None:
    written = {"name": "mine", "steps": [{"technique": "structured_pruning", "ratio": 0.5}]}
    spec = StudySpec.model_validate({**MINIMAL, "compression": {"recipes": ["fp32", written]}})
    assert spec.compression.recipes[0] == DEFAULT_RECIPES[0]
    assert spec.compression.recipes[1] == Recipe(name="mine", steps=(StructuredPruning(ratio=0.5),))


def test_recipes_may_be_searched_within_a_budget() -> None:
    compression = {"recipes": "search", "budget": {"evaluations": 9}}
    spec = StudySpec.model_validate({**MINIMAL, "compression": compression})
    assert spec.compression.search_budget.evaluations == 9
    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec
    assert StudySpec.model_validate({**MINIMAL, "compression": {"recipes": "search"}}).compression.search_budget


def test_compressed_models_may_be_timed_on_more_targets() -> None:
    spec = StudySpec.model_validate({**MINIMAL, "more_targets": [{"threads": 4}, {"node": "jetson"}]})
    assert [str(target) for target in spec.targets] == [
        "onnxruntime, 1 thread",
        "onnxruntime, 4 threads",
        "onnxruntime, 1 thread, node jetson",
    ]


def test_one_value_is_a_choice_of_one() -> None:
    spec = StudySpec.model_validate({**MINIMAL, "space": {"image_size": 32, "learning_rate": 0.1, "optimizer": "sgd"}})
    assert spec.space.image_size == (32,)
    assert spec.space.learning_rate == Range(low=0.1, high=0.1)
    assert spec.space.optimizer == ("sgd",)


def test_the_json_schema_offers_one_value_or_a_list() -> None:
    schema = json.loads(json.dumps(StudySpec.model_json_schema()))
    sides = schema["$defs"]["SpaceSpec"]["properties"]["image_size"]["anyOf"]
    assert [branch["type"] for branch in sides] == ["integer", "array"]


def some(values: Any, *, least: int = 1) -> Any:
    return st.lists(values, min_size=least, max_size=4, unique=True)


@st.composite
def ranges(draw: st.DrawFn, *, low: float, high: float) -> dict[str, Any]:
    first, last = sorted(draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    return {"low": first, "high": last, "log": draw(st.booleans()) and first > 0}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Specs as a user may write them."""
    objectives = draw(some(st.sampled_from(list(NATURAL_GOALS))))
    bound = st.floats(-1e9, 1e9)
    return {
        "name": draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200)),
        "dataset": {"source": "sklearn", "subset_fraction": draw(st.floats(0.01, 1)), "seed": draw(st.integers(0, 9))},
        "space": {
            "image_size": draw(some(st.integers(8, 1024)) | st.integers(8, 1024)),
            "batch_size": draw(some(st.integers(1, 65536))),
            "learning_rate": draw(ranges(low=1e-6, high=10) | st.floats(1e-6, 10)),
            "optimizer": draw(some(st.sampled_from(["sgd", "adamw"]))),
            "augmentation": draw(
                st.none()
                | st.fixed_dictionaries(
                    {
                        "ops": some(st.sampled_from(OPERATION_NAMES)) | st.just("all"),
                        "magnitude": ranges(low=0, high=1),
                        "copies": some(st.integers(0, 2)) | st.integers(0, 2),
                    }
                )
            ),
        },
        "objectives": [{"metric": metric, "goal": draw(st.sampled_from(list(Goal)))} for metric in objectives],
        "constraints": [{"metric": metric, "max": draw(bound)} for metric in draw(some(st.sampled_from(objectives)))],
        "budget": {"max_minutes": draw(st.none() | st.floats(0.1, 1e6))},
        "compression": {
            "recipes": draw(st.just("default") | some(st.sampled_from([recipe.name for recipe in DEFAULT_RECIPES])))
        },
    }


@settings(deadline=None, max_examples=50)
@given(documents())
def test_a_spec_is_the_same_after_json(document: dict[str, Any]) -> None:
    spec = StudySpec.model_validate(document)
    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec
    assert StudySpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec
