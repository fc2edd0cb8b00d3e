"""Training settings are written once: candidates, plans and spaces follow the fields of TrainingSettings."""

from dataclasses import fields

from search.contract.candidate import Candidate
from search.contract.training_settings import TrainingSettings
from search.study.space_spec import SpaceSpec
from tests.integration.records import CANDIDATE
from workers.candidate_training import plan_of

SETTINGS = [field.name for field in fields(TrainingSettings)]


def test_a_space_has_a_range_or_choices_for_each_training_setting() -> None:
    others = {"architecture", "image_size", "epochs", "augmentation"}
    assert [name for name in SpaceSpec.model_fields if name not in others] == SETTINGS


def test_a_candidate_is_written_with_its_network_first_and_how_it_is_trained_last() -> None:
    candidate = Candidate.model_validate(CANDIDATE)
    names = ["architecture", "image_size", *SETTINGS, "augmentation", "method"]
    assert list(candidate.model_dump(mode="json")) == names
    assert list(Candidate.model_json_schema()["properties"]) == list(candidate.model_dump())


def test_a_candidate_keeps_its_fingerprint_from_version_to_version() -> None:
    candidate = Candidate.model_validate(CANDIDATE)
    assert candidate.fingerprint == "bd35206a8d9cad79780053cf6cefc7aff26447c9a2ca4cd2e5695aab86dd8ec4"


def test_a_plan_has_the_settings_of_its_candidate_and_a_fraction_of_the_learning_rate() -> None:
    candidate = Candidate.model_validate({**CANDIDATE, "schedule": "cosine", "ema_decay": 0.9, "weight_decay": 0.01})
    plan = plan_of(candidate, epochs=3, seed=7, learning_rate_fraction=0.5)
    assert (plan.epochs, plan.seed, plan.learning_rate) == (3, 7, 0.05)
    assert all(getattr(plan, name) == getattr(candidate, name) for name in SETTINGS if name != "learning_rate")
