"""Linear probes: the solver against scikit-learn's, the fold into the classifier, and what it changes of a network."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from search.contract.candidate import Architecture
from workers.models import Network, build_network
from workers.training.device_dataset import DeviceDataset, pixels
from workers.training.evaluation import evaluate
from workers.training.linear_probe import LinearClassifier, features_of, probe, solve

CLASSES, SIDE_PX = 3, 8


def network(*last: list[object]) -> Network:
    torch.manual_seed(0)
    head = last or ([1, "GlobalAvgPool", []], [1, "FixedConv", [CLASSES]])
    return build_network(Architecture.model_validate({"backbone": [[1, "Conv", [16, 3, 2]], *head]}))


def coloured(count: int, seed: int) -> DeviceDataset:
    """Noisy images, of which each class is a little brighter in one channel."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = torch.randint(0, 200, (count, 3, SIDE_PX, SIDE_PX), generator=generator)
    images[torch.arange(count), labels] += 30
    return DeviceDataset(
        images=images.to(torch.uint8).contiguous(memory_format=torch.channels_last), labels=labels, classes=CLASSES
    )


def nothing(features: torch.Tensor) -> LinearClassifier:
    return LinearClassifier(weight=torch.zeros(CLASSES, features.shape[1]), bias=torch.zeros(CLASSES))


@pytest.mark.parametrize("penalty", [1.0, 0.03])
def test_the_solution_is_that_of_scikit_learn(penalty: float) -> None:
    features, labels = torch.randn(90, 7, generator=torch.Generator().manual_seed(1)), torch.arange(90) % CLASSES
    features[:, 0] += labels
    solved = solve(features, labels, penalty=penalty, start=nothing(features))
    theirs = LogisticRegression(C=1 / (penalty * len(labels)), tol=1e-8, max_iter=1000).fit(features, labels)
    assert solved.weight.numpy() == pytest.approx(theirs.coef_, abs=1e-3)
    centred = solved.bias - solved.bias.mean()  # any constant may be added to all of the biases
    assert centred.numpy() == pytest.approx(theirs.intercept_ - np.mean(theirs.intercept_), abs=1e-3)


def test_the_fold_of_the_standardization_changes_no_logit() -> None:
    generator = torch.Generator().manual_seed(2)
    features = 5 + 3 * torch.randn(20, 6, generator=generator)
    mean, deviation = features.mean(dim=0), features.std(dim=0)
    classifier = LinearClassifier(weight=torch.randn(CLASSES, 6, generator=generator), bias=torch.tensor([1.0, 0, -1]))
    standardized = classifier.logits((features - mean) / deviation)
    assert torch.allclose(classifier.on_raw(mean, deviation).logits(features), standardized, atol=1e-4)


@pytest.mark.parametrize(
    "head",
    [[[1, "GlobalAvgPool", []], [1, "Flatten", []], [1, "Linear", [CLASSES]]], []],
    ids=["linear", "convolution"],
)
def test_a_probe_beats_chance_and_changes_the_classifier_alone(head: list[list[object]]) -> None:
    probed = network(*head)
    before = {name: tensor.clone() for name, tensor in probed.state_dict().items()}
    epoch = probe(probed, coloured(150, seed=0), coloured(60, seed=1))
    changed = {name for name, tensor in probed.state_dict().items() if not torch.equal(tensor, before[name])}
    classifier = [name for name in before if name.startswith("layers.") and name.split(".")[1] == str(len(head) or 2)]
    assert changed == set(classifier)
    assert epoch.epoch == 1
    assert epoch.scores.f1 > 0.6
    assert evaluate(probed, coloured(60, seed=1)) == epoch.scores


def test_the_network_answers_as_the_classifier_that_was_solved() -> None:
    data = coloured(150, seed=0)
    probed = network()
    features = features_of(probed, data)
    assert features.shape == (150, 16)
    probe(probed, data, coloured(60, seed=1))
    weight, bias = (tensor.detach() for tensor in probed.classifier.parameters())
    with torch.no_grad():
        expected = features @ weight.flatten(1).T + bias
        assert torch.allclose(probed.eval()(pixels(data.images)), expected, atol=1e-4)


def test_a_class_without_training_images_and_a_feature_that_never_changes_do_no_harm() -> None:
    data = coloured(90, seed=0)
    seen = data.labels < 2
    training = DeviceDataset(images=data.images[seen], labels=data.labels[seen], classes=CLASSES)
    probed = network()
    with torch.no_grad():
        next(probed.parameters())[0] = 0
    epoch = probe(probed, training, training)
    assert all(torch.isfinite(tensor).all() for tensor in probed.state_dict().values())
    assert epoch.scores.f1 > 0.6


def test_a_classifier_of_feature_maps_is_refused() -> None:
    probed = network([1, "FixedConv", [CLASSES]], [1, "GlobalAvgPool", []])
    with pytest.raises(ValueError, match="needs a classifier of pooled features"):
        probe(probed, coloured(9, seed=0), coloured(9, seed=1))
