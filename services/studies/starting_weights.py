"""The pretrained weights that a study's networks start from: found before the study starts, or refused."""

from collections.abc import Callable, Mapping
from pathlib import Path

from search.contract.weights import DEFAULT, StartingWeights
from search.data_roots import open_file
from search.study.spec import StudySpec
from search.weights.catalog import KNOWN, TORCHVISION, ways_to_get
from search.weights.folder import WeightsFolder, WeightsFolderError
from search.weights.lookup import find_weights
from search.weights.needed import Need, needs_of_space
from search.weights.safetensors import read_head
from services.downloads import hub_answers, torchvision_answers
from services.errors import RejectedError

_FIELD = "space.architecture"


def starting_weights(
    spec: StudySpec,
    folder: str,
    *,
    hub: Callable[[], bool] = hub_answers,
    torchvision: Callable[[], bool] = torchvision_answers,
) -> list[StartingWeights]:
    """What each of the spec's networks may start from; ``folder`` is the weights folder.

    RejectedError where weights are neither here nor to be downloaded, because their host does not answer.
    """
    hosts = {True: torchvision, False: hub}
    try:
        return [_found(need, folder, hosts) for need in needs_of_space(spec.space.architecture)]
    except WeightsFolderError as error:
        raise RejectedError(_FIELD, str(error)) from error


def _found(need: Need, folder: str, hosts: Mapping[bool, Callable[[], bool]]) -> StartingWeights:
    if need.weights != DEFAULT:
        return _of_file(need)
    if (found := find_weights(need.network, WeightsFolder(folder))) is not None:
        return StartingWeights(
            network=need.network, weights=DEFAULT, place=found.place, origin=found.origin, license=found.license
        )
    is_torchvisions = need.network.startswith(TORCHVISION)
    if not hosts[is_torchvisions]():
        host = "torchvision's host" if is_torchvisions else "the Hugging Face hub"
        raise RejectedError(
            _FIELD,
            f"the weights of {need.network} are not on this server (weights folder: {folder}), and {host} does not "
            f"answer. {ways_to_get(need.network)}",
        )
    known = KNOWN.get(need.network)
    return StartingWeights(
        network=need.network,
        weights=DEFAULT,
        place="download",
        origin=known.origin if known else need.network,
        license=known.license if known else None,
    )


def _of_file(need: Need) -> StartingWeights:
    """What a file says of itself; one that this machine cannot read is left to the workers."""
    path, metadata = Path(need.weights).expanduser(), dict[str, str]()
    try:
        if path.is_file():
            with open_file(path) as file:
                metadata.update(read_head(file).metadata)
    except (OSError, ValueError) as error:
        raise RejectedError(_FIELD, f"{path}: {error}") from error
    return StartingWeights(
        network=need.network,
        weights=need.weights,
        place="file",
        origin=metadata.get("origin", path.name),
        license=metadata.get("license"),
    )
