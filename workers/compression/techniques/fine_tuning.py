"""Fine-tuning: training what other steps left."""

from search.contract.recipes import FineTuning
from workers.compression.state import CompressionState
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.training import train_on


@NETWORK_TECHNIQUES.register("fine_tuning")
def fine_tune(config: FineTuning, state: CompressionState) -> None:
    train_on(config, state)
