"""FrontierSampler in plain Optuna: on small problems of every kind, and against chance."""

from collections.abc import Callable
from statistics import median

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState

from search.pareto import hypervolume
from search.samplers.frontier import EXPECTED, SECONDS, Description, FrontierSampler
from search.samplers.optuna_trials import chooser_of
from search.spaces.chooser import FAMILY, Chooser

LAYERS = 6
optuna.logging.set_verbosity(optuna.logging.WARNING)


def choices(chooser: Chooser) -> list[int]:
    return [chooser.suggest_categorical(f"layer{number}", (0, 1, 2)) for number in range(LAYERS)]


def cost(layers: list[int]) -> float:
    return float(sum((number + 1) * size for number, size in enumerate(layers)))


def quality(layers: list[int]) -> float:
    """Early layers are worth more than they cost; too many of the largest are worth nothing."""
    worth = sum(size * (LAYERS - number) for number, size in enumerate(layers))
    return float(1.0 - np.exp(-worth / 12.0) - 0.05 * max(0, layers.count(2) - 3))


def describe(chooser: Chooser) -> Description:
    return Description(objectives={1: cost(choices(chooser))})


def search(sampler: BaseSampler, *, trials: int, noise: float = 0.0) -> optuna.Study:
    study, rng = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler), np.random.default_rng(0)
    for _ in range(trials):
        trial = study.ask()
        layers = choices(chooser_of(trial))
        study.tell(trial, [quality(layers) + noise * rng.standard_normal(), cost(layers)])
    return study


def volume(study: optuna.Study) -> float:
    layers = [[trial.params[f"layer{number}"] for number in range(LAYERS)] for trial in study.trials]
    return hypervolume(np.asarray([(-quality(point), cost(point) / 42.0) for point in layers]), np.array([0.0, 1.0]))


@pytest.mark.parametrize("described", [True, False])
def test_it_finds_more_than_chance_with_half_the_trials(described: bool) -> None:
    by_chance = [volume(search(RandomSampler(seed=seed), trials=40)) for seed in range(9)]
    sampler = FrontierSampler(describe=describe if described else None, seed=0)
    assert volume(search(sampler, trials=20, noise=0.02)) > median(by_chance)


def test_no_point_is_suggested_twice_while_there_are_others() -> None:
    study = search(FrontierSampler(describe=describe, seed=1), trials=14)
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 14


def test_the_same_seed_makes_the_same_search() -> None:
    first, second = (search(FrontierSampler(describe=describe, seed=3), trials=10) for _ in range(2))
    assert [trial.params for trial in first.trials] == [trial.params for trial in second.trials]


def test_pending_trials_are_not_suggested_again_and_lead_elsewhere() -> None:
    study = search(FrontierSampler(describe=describe, seed=0), trials=9)
    pending = [tuple(choices(chooser_of(study.ask()))) for _ in range(4)]
    assert len(set(pending)) == 4


def test_the_first_trials_cost_what_points_by_chance_cost_evenly_spread() -> None:
    by_chance = np.sort([trial.values[1] for trial in search(RandomSampler(seed=0), trials=400).trials])
    study = search(FrontierSampler(describe=describe, seed=0), trials=7)
    ranks = np.searchsorted(by_chance, sorted(trial.values[1] for trial in study.trials)) / 400
    assert ranks == pytest.approx(np.arange(1, 8) / 8, abs=0.12)


def test_where_time_is_short_the_first_trials_take_little_of_it() -> None:
    """The effort is the more, the less a point costs: ranks of cost would choose otherwise."""

    def hard(chooser: Chooser) -> Description:
        price = cost(choices(chooser))
        return Description(objectives={1: price}, effort=-price)

    def prices(*, time_is_short: bool) -> list[float]:
        sampler = FrontierSampler(describe=hard, time_is_short=lambda: time_is_short, seed=0)
        return [trial.values[1] for trial in search(sampler, trials=7).trials]

    assert np.mean(prices(time_is_short=True)) > np.mean(prices(time_is_short=False)) + 3


def of_families(chooser: Chooser) -> list[int]:
    family = chooser.suggest_categorical(FAMILY, ("large", "small"))
    return [10 * (family == "large") + chooser.suggest_int(f"{family}.{name}", 0, 9) for name in ("depth", "width")]


def test_families_take_turns_in_the_first_trials_after_what_was_enqueued() -> None:
    sampler = FrontierSampler(
        describe=lambda chooser: Description(effort=float(sum(of_families(chooser)))),
        seed=0,
    )
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for depth in (3, 5, 7):
        study.enqueue_trial({FAMILY: "large", "large.depth": depth})
    for _ in range(8):
        trial = study.ask()
        study.tell(trial, [0.5, float(sum(of_families(chooser_of(trial))))])
    assert [trial.params[FAMILY] for trial in study.trials] == ["large"] * 3 + ["small"] * 3 + ["large", "small"]
    efforts = sorted(trial.values[1] for trial in study.trials if trial.params[FAMILY] == "small")
    assert efforts[0] <= 6 <= efforts[-1] - 5


def test_a_family_that_no_enqueued_point_has_is_tried_before_there_is_a_surrogate() -> None:
    sampler = FrontierSampler(describe=lambda chooser: Description(effort=float(sum(of_families(chooser)))), seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for depth in range(10):
        study.enqueue_trial({FAMILY: "large", "large.depth": depth})
    for _ in range(12):
        trial = study.ask()
        study.tell(trial, float(of_families(chooser_of(trial))[0]))
    assert [trial.params[FAMILY] for trial in study.trials[10:]] == ["small"] * 2


def test_a_trial_that_would_outlast_the_minutes_is_hardly_suggested() -> None:
    """The objective is best where a trial takes longest."""

    def suggested(seconds_left: float | None) -> list[float]:
        sampler = FrontierSampler(time_is_short=lambda: True, seconds_left=lambda: seconds_left, seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for x in np.linspace(0.0, 1.0, 12):
            past = optuna.trial.create_trial(
                value=float(np.exp(5 * x)),
                params={"x": float(x)},
                distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
                user_attrs={SECONDS: float(np.exp(5 * x))},
            )
            study.add_trial(past)
        trials = [study.ask() for _ in range(4)]
        return [trial.suggest_float("x", 0, 1) for trial in trials]

    assert max(suggested(None)) > 0.8
    assert np.mean(suggested(np.exp(5 * 0.5))) < 0.6


def test_a_new_sampler_goes_on_from_the_trials_alone() -> None:
    study = search(FrontierSampler(describe=describe, seed=0), trials=10)
    before = {tuple(trial.params.values()) for trial in study.trials}
    study.sampler = FrontierSampler(describe=describe, seed=9)
    assert tuple(choices(chooser_of(study.ask()))) not in before


def test_a_limit_that_is_known_before_is_never_broken() -> None:
    def limited(chooser: Chooser) -> Description:
        spent = cost(choices(chooser))
        return Description(objectives={1: spent}, constraints={"cost": spent - 8.0})

    study = search(FrontierSampler(describe=limited, seed=0), trials=12)
    assert all(trial.values[1] <= 8.0 for trial in study.trials)


def test_a_limit_that_must_be_measured_is_learned() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=FrontierSampler(describe=describe, seed=0))
    broken = []
    for _ in range(20):
        trial = study.ask()
        layers = choices(chooser_of(trial))
        trial.set_constraint("latency", cost(layers) * 1.1 - 12.0)
        broken.append(cost(layers) * 1.1 > 12.0)
        if broken[-1]:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, [quality(layers), cost(layers)])
    assert sum(broken[-6:]) <= 2 < sum(broken)


def test_where_trials_fail_it_goes_less() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=FrontierSampler(describe=describe, seed=0))
    failed = []
    for _ in range(20):
        trial = study.ask()
        layers = choices(chooser_of(trial))
        failed.append(layers[0] == 2)
        if failed[-1]:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, [quality(layers), cost(layers)])
    assert any(failed)
    assert sum(failed[-6:]) <= 1


def test_a_training_that_collapsed_does_not_hide_what_the_others_differ_by() -> None:
    study = search(FrontierSampler(describe=describe, seed=0), trials=9)
    for trial in (study.ask(), study.ask()):
        study.tell(trial, [-1000.0, cost(choices(chooser_of(trial)))])
    for _ in range(8):
        trial = study.ask()
        layers = choices(chooser_of(trial))
        study.tell(trial, [quality(layers), cost(layers)])
    assert volume(study) > volume(search(RandomSampler(seed=0), trials=40))


def best_of(describe: Callable[[Chooser], Description] | None, trials: int) -> float:
    """How near it comes to the best of a function with a condition and real parameters."""
    study = optuna.create_study(sampler=FrontierSampler(describe=describe, seed=0))

    def distance(trial: optuna.Trial) -> float:
        rate = np.log10(trial.suggest_float("rate", 1e-4, 1.0, log=True)) + 2.0
        if trial.suggest_categorical("kind", ["plain", "moving"]) == "plain":
            return float(rate**2 + 0.3)
        return float(rate**2 + (trial.suggest_float("momentum", 0.0, 1.0) - 0.8) ** 2)

    study.optimize(distance, n_trials=trials)
    return float(study.best_value)


@pytest.mark.parametrize(("tried", "looks_elsewhere"), [(16, False), (17, True), (24, False), (25, True)])
def test_every_second_time_it_looks_where_it_knows_little(tried: int, looks_elsewhere: bool) -> None:
    """One hill was searched thoroughly, and little was found far from it."""
    study = optuna.create_study(direction="maximize", sampler=FrontierSampler(seed=0))
    rng = np.random.default_rng(0)
    for position in (0.0, 0.1, 0.5, 0.6, 0.9, 1.0, *np.linspace(0.25, 0.35, tried - 6)):
        study.enqueue_trial({"x": float(position)})
        trial = study.ask()
        height = np.exp(-(((trial.suggest_float("x", 0.0, 1.0) - 0.3) / 0.1) ** 2))
        study.tell(trial, height + 0.1 * rng.standard_normal())
    assert (abs(study.ask().suggest_float("x", 0.0, 1.0) - 0.3) > 0.1) == looks_elsewhere


@pytest.mark.parametrize("described", [True, False])
def test_one_objective_with_conditions_and_real_parameters_is_found(described: bool) -> None:
    def ask(chooser: Chooser) -> Description:
        chooser.suggest_float("rate", 1e-4, 1.0, log=True)
        if chooser.suggest_categorical("kind", ["plain", "moving"]) == "moving":
            chooser.suggest_float("momentum", 0.0, 1.0)
        return Description()

    assert best_of(ask if described else None, 24) < 0.15  # 0.3 is the best of the plain kind


def test_two_objectives_that_must_be_measured_are_both_learned() -> None:
    def nothing(chooser: Chooser) -> Description:
        choices(chooser)
        return Description()

    by_chance = [volume(search(RandomSampler(seed=seed), trials=24)) for seed in range(9)]
    assert volume(search(FrontierSampler(describe=nothing, seed=0), trials=24)) > median(by_chance)


def test_where_everything_is_known_the_front_is_searched_without_learning() -> None:
    def all_known(chooser: Chooser) -> Description:
        layers = choices(chooser)
        return Description(objectives={0: quality(layers), 1: cost(layers)})

    by_chance = [volume(search(RandomSampler(seed=seed), trials=40)) for seed in range(9)]
    assert volume(search(FrontierSampler(describe=all_known, seed=0), trials=16)) > max(by_chance)


def test_what_can_never_be_run_is_not_suggested() -> None:
    def without_twos(chooser: Chooser) -> Description:
        layers = choices(chooser)
        return Description(objectives={1: cost(layers)}) if layers[0] != 2 else Description(possible=False)

    study = search(FrontierSampler(describe=without_twos, seed=0), trials=12)
    assert all(trial.params["layer0"] != 2 for trial in study.trials)


def test_a_space_that_is_used_up_is_drawn_from_by_chance() -> None:
    def coin(chooser: Chooser) -> Description:
        return Description(objectives={1: float(chooser.suggest_categorical("side", (0, 1)))})

    study = optuna.create_study(directions=["maximize", "minimize"], sampler=FrontierSampler(describe=coin, seed=0))
    study.optimize(lambda trial: (0.5, trial.suggest_categorical("side", (0, 1))), n_trials=12)
    assert {trial.params["side"] for trial in study.trials} == {0, 1}


def test_parameters_that_the_description_does_not_ask_for_are_drawn_by_chance() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=FrontierSampler(describe=describe, seed=0))
    for _ in range(10):
        trial = study.ask()
        layers = choices(chooser_of(trial))
        study.tell(trial, [trial.suggest_float("more", 0.0, 1.0), cost(layers)])
    assert len({trial.params["more"] for trial in study.trials}) == 10


@pytest.mark.parametrize(("expected", "near"), [(2.0, True), (0.0, False)])
def test_a_trial_that_was_ended_early_counts_as_what_it_was_on_its_way_to(expected: float, near: bool) -> None:
    study = optuna.create_study(direction="maximize", sampler=FrontierSampler(seed=0))
    for number in range(9):
        study.enqueue_trial({"x": number / 10})
    study.optimize(lambda trial: 1.0 - abs(trial.suggest_float("x", 0.0, 1.0) - 0.3), n_trials=9)
    study.enqueue_trial({"x": 0.95})
    ended = study.ask()
    ended.suggest_float("x", 0.0, 1.0)
    ended.set_user_attr(EXPECTED, [(expected, 0.05)])
    study.tell(ended, state=TrialState.PRUNED)
    assert (study.ask().suggest_float("x", 0.0, 1.0) > 0.8) == near


@pytest.mark.parametrize(("time_is_short", "most_are_short"), [(True, True), (False, False)])
def test_where_time_is_short_it_looks_where_trials_take_little(time_is_short: bool, most_are_short: bool) -> None:
    study = optuna.create_study(
        direction="maximize", sampler=FrontierSampler(time_is_short=lambda: time_is_short, seed=0)
    )
    for number in range(8):
        study.enqueue_trial({"kind": ("short", "long")[number % 2], "x": number / 8})
    for _ in range(28):
        trial = study.ask()
        kind, x = trial.suggest_categorical("kind", ("short", "long")), trial.suggest_float("x", 0.0, 1.0)
        trial.set_user_attr(SECONDS, {"short": 1.0, "long": 20.0}[kind])
        study.tell(trial, float(np.sin(9 * x) * x))
    learned = [trial.params["kind"] for trial in study.trials[8:]]
    assert (learned.count("short") > 15) == most_are_short
