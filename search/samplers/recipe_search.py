"""The search for a candidate's recipes: Optuna with two objectives, rebuilt from the record for each evaluation.

F1 is maximized, and the latency relative to the parent's own fp32 file, which was timed interleaved with it, is
minimized: the ratio does not drift with the clock of the host as milliseconds do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import optuna
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from search.contract.recipes import DEFAULT_RECIPES, Recipe
from search.contract.states import JobState
from search.samplers.optuna_trials import Replay, chooser_of
from search.samplers.paes import PaesSampler
from search.samplers.recipe_space import choices_of, draw

_SAMPLER_ATTEMPTS = 20
_RANDOM_ATTEMPTS = 200
_STATES = {
    JobState.QUEUED: OptunaState.RUNNING,
    JobState.RUNNING: OptunaState.RUNNING,
    JobState.COMPLETED: OptunaState.COMPLETE,
    JobState.FAILED: OptunaState.FAIL,
    JobState.CANCELLED: OptunaState.FAIL,
}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A recipe that was queued for a candidate. A COMPLETED one has its file's ``f1`` and ``latency_share``."""

    recipe: Recipe
    state: JobState
    f1: float | None = None
    latency_share: float | None = None


def propose(past: Sequence[Evaluation], *, seed: int) -> Recipe | None:
    """The next recipe to evaluate, none that is among the ``past``: first the default ones, then what the sampler
    draws, named ``search-006`` for the sixth. None if it draws nothing new.
    """
    evaluated = {evaluation.recipe.steps for evaluation in past}
    for recipe in DEFAULT_RECIPES:
        if recipe.steps not in evaluated:
            return recipe
    name = f"search-{len(past) + 1:03d}"
    study = _study(past, seed=(seed + 7919 * len(past)) % 2**32)
    for attempt in range(_SAMPLER_ATTEMPTS + _RANDOM_ATTEMPTS):
        if attempt == _SAMPLER_ATTEMPTS:
            study.sampler = optuna.samplers.RandomSampler(seed=seed + len(past))
        trial = study.ask()
        recipe = draw(chooser_of(trial), name)
        if recipe.steps not in evaluated:
            return recipe
        study.tell(trial, state=OptunaState.FAIL)
    return None


def _study(past: Sequence[Evaluation], *, seed: int) -> optuna.Study:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=PaesSampler(seed=seed))
    study.add_trials([trial for evaluation in past if (trial := _frozen(evaluation)) is not None])
    return study


def _frozen(evaluation: Evaluation) -> FrozenTrial | None:
    """An evaluation as Optuna knows it; None for a recipe outside of the space, or one without a figure."""
    choices = choices_of(evaluation.recipe)
    if choices is None:
        return None
    state, values = _STATES[evaluation.state], None
    if state is OptunaState.COMPLETE:
        if evaluation.f1 is None or evaluation.latency_share is None:
            return None
        values = [evaluation.f1, evaluation.latency_share]
    replay = Replay(values=choices)
    draw(replay, evaluation.recipe.name)
    return optuna.trial.create_trial(
        state=state, values=values, params=dict(choices), distributions=replay.distributions
    )
