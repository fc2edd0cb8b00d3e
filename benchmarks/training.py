"""Images a second of a training, scoring included: a plain PyTorch loop against Seedleaf's engine.

On the CPU both sides train the same network on the same folder of images, at 64 px in batches of 64 on two threads,
with flips, and score it after each epoch. The plain loop decodes by PIL in a DataLoader without worker processes or
with two: the better counts. The engine reads the images as a study's first trial does, decoding them into an empty
cache, and as its other trials do, from that cache.

With ``--device cuda`` both train torchvision's MobileNetV3-small of width 0.5 at 96 px in batches of 128, on 20,480
synthetic images that live on the GPU, in bfloat16 and channels_last: the plain loop is eager, the engine's step is a
CUDA graph, whose capture counts. That needs torch, NumPy and torchvision only.
"""

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--synthetic", action="store_true", help="make images of noise instead, where there are none")
    parser.add_argument("--threads", type=int, default=2, help="of both sides, on the CPU")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.device == "cuda":
        from benchmarks.parts.training_on_gpu import compare_on_gpu  # which needs less than the other

        compare_on_gpu(epochs=options.epochs, repeats=options.repeats)
    else:
        from benchmarks.parts.training_on_cpu import compare_on_cpu

        data = None if options.synthetic else options.data
        compare_on_cpu(data, threads=options.threads, epochs=options.epochs, repeats=options.repeats)


if __name__ == "__main__":
    main()
