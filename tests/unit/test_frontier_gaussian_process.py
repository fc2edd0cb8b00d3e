"""Gaussian-process regression: its gradient, its predictions, and its draws."""

import numpy as np
import pytest

from search.samplers.frontier.gaussian_process import Posterior, fit_kernel
from search.samplers.frontier.kernel import Kernel

POINTS, FEATURES = 40, 3
NONE = np.zeros(POINTS)
PRIOR = Kernel.prior((np.arange(FEATURES),))


def waves(features: np.ndarray) -> np.ndarray:
    """Depends on the first two features only."""
    return np.asarray(np.sin(2.0 * features[:, 0]) + 0.5 * features[:, 1])


def sample(seed: int, *, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((POINTS, FEATURES))
    return features, waves(features) + noise * rng.standard_normal(POINTS)


def test_the_gradient_of_the_loss_is_the_slope_of_the_loss() -> None:
    features, targets = sample(0, noise=0.1)
    prior = Kernel.prior((np.asarray([0, 2]), np.arange(FEATURES)))
    vector = prior.hyperparameters() + np.random.default_rng(1).normal(0.0, 0.5, 2 * 2 + 2 + FEATURES + 1)
    noise_variance = np.linspace(0.0, 0.5, POINTS)
    _, gradient = prior.with_hyperparameters(vector).loss(features, targets, noise_variance)
    for index in range(len(vector)):
        step = np.zeros(len(vector))
        step[index] = 1e-5
        higher, _ = prior.with_hyperparameters(vector + step).loss(features, targets, noise_variance)
        lower, _ = prior.with_hyperparameters(vector - step).loss(features, targets, noise_variance)
        assert gradient[index] == pytest.approx((higher - lower) / 2e-5, rel=1e-4, abs=1e-4)


def test_what_does_not_matter_gets_the_longest_lengthscale() -> None:
    features, targets = sample(2, noise=0.05)
    kernel = fit_kernel(features, targets, NONE, np.random.default_rng(0), PRIOR)
    assert kernel.components[0].log_lengthscales.argmax() == 2
    assert kernel.components[0].log_lengthscales.argmin() == 0


def test_a_prediction_is_near_the_truth_and_sure_of_itself_near_the_points_only() -> None:
    features, targets = sample(3, noise=0.02)
    kernel = fit_kernel(features, targets, NONE, np.random.default_rng(0), PRIOR)
    posterior = Posterior(kernel, features, targets[:, None], NONE)
    unseen = sample(4)[0] * 0.5
    mean, deviation = posterior.predict(unseen)
    assert np.abs(mean[:, 0] - waves(unseen)).mean() < 0.15
    _, far = posterior.predict(np.full((1, FEATURES), 30.0))
    assert far[0] > 5 * deviation.mean()


def test_denoising_takes_off_noise() -> None:
    features, targets = sample(5, noise=0.3)
    kernel = fit_kernel(features, targets, NONE, np.random.default_rng(0), PRIOR)
    denoised = Posterior(kernel, features, targets[:, None], NONE).denoised()[:, 0]
    assert np.abs(denoised - waves(features)).mean() < np.abs(targets - waves(features)).mean()


def test_draws_of_pending_points_differ_around_what_is_expected_and_leave_less_to_learn() -> None:
    features, targets = sample(6, noise=0.05)
    posterior = Posterior(
        fit_kernel(features, targets, NONE, np.random.default_rng(0), PRIOR), features, targets[:, None], NONE
    )
    pending = np.array([[2.5, 2.5, 0.0], [-2.5, 2.5, 0.0]])
    expected, before = posterior.predict(pending)
    fantasized = posterior.fantasize(pending, 500, np.random.default_rng(1))
    drawn, after = fantasized.predict(pending)
    assert drawn.shape == (2, 500)
    assert np.abs(drawn.mean(axis=1) - expected[:, 0]).max() < 4 * before.max() / np.sqrt(500)
    assert (after < 0.5 * before).all()


def test_a_long_record_is_fitted_to_a_sample_of_it() -> None:
    features = np.random.default_rng(0).standard_normal((600, FEATURES))
    kernel = fit_kernel(features, waves(features), np.zeros(600), np.random.default_rng(0), PRIOR)
    assert kernel.components[0].log_lengthscales.argmax() == 2


def test_what_is_measured_only_roughly_counts_for_less() -> None:
    features, targets = sample(7, noise=0.02)
    kernel = fit_kernel(features, targets, NONE, np.random.default_rng(0), PRIOR)
    doubtful = np.where(np.arange(POINTS) == 0, 25.0, 0.0)
    wrong = targets + np.where(np.arange(POINTS) == 0, 5.0, 0.0)
    believed, distrusted = (
        Posterior(kernel, features, wrong[:, None], noise_variance).denoised()[0, 0]
        for noise_variance in (NONE, doubtful)
    )
    assert abs(distrusted - targets[0]) < 0.2 < abs(believed - targets[0])
