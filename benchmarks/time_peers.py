"""Time training against pyroVED and AtomAI on this machine.

    python -m benchmarks.time_peers [--repeat 3] [--side 32] [--n-images 1024]
           [--out FILE]

What trains takes turns in one process, an epoch at a time, on one thread and the same
images (made in code, float32 in [0, 1]), so that all meet the same load. The command
prints images per processor second, the median of ``--repeat`` epochs after a warm-up,
and by how many times ``IRLINREmbedder`` is faster in the same round: median and range.
``--out`` writes the figure of each epoch as JSON.

An epoch is that of each package's own training loop: it takes batches from a loader
that exists already, and runs forward, backward and the optimiser's step. Of an embedder
it lies between the callbacks ``on_epoch_begin`` and ``on_epoch_end``, of pyroVED it is
``SVItrainer.step``, of AtomAI ``rVAE.train_epoch``. Checks of the images, construction
and what follows the last epoch are not counted. AtomAI drops the images of an
incomplete last batch, and so do the embedders; dropped images are not counted.

Every network has its own defaults, also of precision and of the size of a batch. They
differ in size, and a rate says nothing of what is learned with an image.

- By default ``IRLINREmbedder`` crops empty borders, of these images more than half of
  the pixels; the row "whole images" is without the crop, as the peers are. The row
  "former trunk" has the ResNet18 of width 8 and the two copies of earlier versions.
- ``SimCLREmbedder`` has one default for CPUs and GPUs, the full ResNet18. It and
  ``SpatialVAEEmbedder`` are slow and take one and two batches an epoch.
- Both rows of pyroVED train one model, with batches of its loader's default and of 128:
  Pyro keeps the parameters of a process in one store.

The peers are no dependencies: ``pip install pyroved atomai``. One that is missing is
left out. Both import torchvision, which must be the build that belongs to the torch
installed. pyroVED 0.3.0 and AtomAI 0.8.1 run with torch 2.13 and NumPy 2.4 as they are.
AtomAI takes a GPU wherever torch sees one: set ``CUDA_VISIBLE_DEVICES=``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from skorch.callbacks import Callback
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.gpu.images import make_images
from benchmarks.machine import describe_code, describe_machine
from invariant_cluster import (
    ImageEmbedder,
    IRLINREmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
)

Images = NDArray[np.float32]

_LEAST_IMAGES = 128  # the largest batch
_LATENT = 2
_BATCHES_PYROVED = (100, 128)  # the first is the default of its loader


class Entrant(NamedTuple):
    """What trains by turns.

    Attributes
    ----------
    batch_size : int
    train : callable
        Trains for an epoch and returns images per processor second.
    """

    batch_size: int
    train: Callable[[], float]


class Peer(NamedTuple):
    """Another package.

    Attributes
    ----------
    packages : tuple of str
        What to install, and then what else its speed depends on.
    start : callable
        Returns what trains on images (n, h, w), by name; imports the package.
    """

    packages: tuple[str, ...]
    start: Callable[[Images], dict[str, Entrant]]


class EpochClock(Callback):
    """Keeps images per processor second of the last epoch."""

    def on_epoch_begin(self, net: Any, **_: Any) -> None:
        self.start = time.process_time()

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        seconds = time.process_time() - self.start
        self.rate = sum(net.history[-1, "batches", :, "train_batch_size"]) / seconds


def start_embedder(embedder: ImageEmbedder, images: Images) -> Entrant:
    """Fit for an epoch; each turn continues the fit for one more."""
    clock = EpochClock()
    embedder = clone(embedder).set_params(
        max_epochs=1, warm_start=True, device="cpu", random_state=0, callbacks=[clock]
    )

    def train() -> float:
        embedder.fit(images)
        return clock.rate

    train()
    return Entrant(embedder.net_.batch_size, train)


def start_pyroved(images: Images) -> dict[str, Entrant]:
    """Return pyroVED's iVAE, at the batch size of its loader and at 128."""
    import pyroved

    model = pyroved.models.iVAE(
        images.shape[1:], latent_dim=_LATENT, invariances=["r", "t"], device="cpu"
    )
    trainer = pyroved.trainers.SVItrainer(model, device="cpu")

    def make_entrant(batch_size: int) -> Entrant:
        rows = torch.from_numpy(images)
        loader = pyroved.utils.init_dataloader(rows, batch_size=batch_size)
        step = partial(trainer.step, loader)
        return Entrant(batch_size, partial(time_epoch, step, len(images)))

    return {f"pyroVED iVAE, {size}": make_entrant(size) for size in _BATCHES_PYROVED}


def start_atomai(images: Images) -> dict[str, Entrant]:
    """Return AtomAI's rVAE after the fit that makes its loader and its optimiser."""
    import atomai

    model = atomai.models.rVAE(images.shape[1:], latent_dim=_LATENT, translation=True)
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        model.fit(images, training_cycles=1, filename=f"{folder}/model")
    n_images = len(model.train_iterator) * model.batch_size
    train = partial(time_epoch, model.train_epoch, n_images)
    return {"AtomAI rVAE": Entrant(model.batch_size, train)}


def time_epoch(train: Callable[[], object], n_images: int) -> float:
    """Return images per processor second of an epoch."""
    start = time.process_time()
    train()
    return n_images / (time.process_time() - start)


# Of each embedder, the most images of an epoch: a step of the last two takes seconds.
# The first is what the others are compared with.
OURS: dict[str, tuple[ImageEmbedder, int | None]] = {
    "IRLINREmbedder": (IRLINREmbedder(), None),
    "IRLINREmbedder, whole images": (IRLINREmbedder(field_of_view=1.0), None),
    "IRLINREmbedder, former trunk": (
        IRLINREmbedder(encoder="resnet18", encoder_width=8, n_copies=2),
        None,
    ),
    "SimCLREmbedder": (SimCLREmbedder(), 128),
    "SpatialVAEEmbedder": (SpatialVAEEmbedder(), 256),
}
PEERS = {
    "pyroVED": Peer(("pyroved", "pyro-ppl"), start_pyroved),
    "AtomAI": Peer(("atomai",), start_atomai),
}


def start_peers(
    images: Images, peers: dict[str, Peer]
) -> tuple[dict[str, Entrant], list[str]]:
    """Return what trains of the peers installed, and a line on each of them."""
    entrants: dict[str, Entrant] = {}
    lines = []
    for name, peer in peers.items():
        try:
            entrants |= peer.start(images)
        except ModuleNotFoundError as error:
            lines.append(
                f"{name} is not measured: {error.name} is not installed, run 'pip "
                f"install {peer.packages[0]}'"
            )
        else:
            found = ", ".join(f"{name} {version(name)}" for name in peer.packages)
            lines.append(f"{name}: {found}")
    return entrants, lines


def measure(entrants: dict[str, Entrant], repeat: int) -> dict[str, list[float]]:
    """Return images per processor second of each round; entrants take turns."""
    for entrant in entrants.values():  # first epochs choose kernels and fill caches
        entrant.train()
    rates: dict[str, list[float]] = {name: [] for name in entrants}
    for _ in range(repeat):
        for name, entrant in entrants.items():
            rates[name].append(entrant.train())
    return rates


def render(entrants: dict[str, Entrant], rates: dict[str, list[float]]) -> str:
    """Return a table of medians, and how much faster the first is than each."""
    first = next(iter(rates))
    rows = {
        name: {
            "batch": entrants[name].batch_size,
            "images per CPU second": f"{median(found):,.0f}",
            f"{first} is faster by": compare(rates[first], found),
        }
        for name, found in rates.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").to_string()


def compare(first: list[float], second: list[float]) -> str:
    """Return the median and the range of the ratios of paired rates in words."""
    ratios = [a / b for a, b in zip(first, second, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def run(options: argparse.Namespace) -> None:
    """Measure all, print the table and write the rates."""
    machine = describe_machine(torch.device("cpu"))
    drawn, _ = make_images(options.n_images, options.side)
    images = drawn.astype(np.float32) / np.float32(255)
    print(
        f"{machine['cpu']} (precision auto: {machine['auto_precision']}), torch "
        f"{torch.__version__}, one thread, {options.n_images:,} images of "
        f"{options.side} x {options.side}"
    )
    entrants = {name: start_embedder(e, images[:n]) for name, (e, n) in OURS.items()}
    others, lines = start_peers(images, PEERS)
    print(*lines, sep="\n", flush=True)
    entrants |= others
    rates = measure(entrants, options.repeat)
    print(render(entrants, rates))
    if options.out is not None:
        record = {"machine": machine, **describe_code(), "peers": lines, "rates": rates}
        record |= {"side": options.side, "n_images": options.n_images}
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.time_peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--n-images", type=int, default=1024)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.n_images < _LEAST_IMAGES:
        parser.error(
            f"--n-images {options.n_images} is less than the largest batch: give "
            f"{_LEAST_IMAGES} or more"
        )
    torch.set_num_threads(1)
    with threadpool_limits(1):
        run(options)


if __name__ == "__main__":
    main()
