"""Training steps of a real fit under probes, and the fit's end when they have seen it.

The probes take their turns in one fit; the steps are those of ``fit``, whatever it does
in them.
"""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
from skorch.callbacks import Callback

from benchmarks.step_probes import Probe
from benchmarks.step_regions import BETWEEN, OPTIMISER, VIEWS, Regions
from invariant_cluster import IRLINREmbedder, SCANClusterer

_WARM_UP = 5  # on a GPU the step is recorded meanwhile


class EnoughError(Exception):
    """Ends a fit: its steps have been seen."""


class WatchSteps(Callback):
    """Runs probes one after another, then ends the fit.

    Parameters
    ----------
    probes : list of Probe
    warm_up : int
        Steps before the first probe.
    stop_at : float
        Moment, of ``time.monotonic``, from which each probe sees one step only.
    of_images : bool
        Whether it is a stage of training on images that is watched, or one on z.
    """

    def __init__(
        self,
        probes: list[Probe],
        warm_up: int = _WARM_UP,
        stop_at: float = math.inf,
        of_images: bool = True,
    ) -> None:
        self.probes = probes
        self.of_images = of_images
        self.warm_up = warm_up
        self.stop_at = stop_at
        self.regions = Regions()
        self.n_done = -warm_up
        self.waiting = list(probes)
        self.context = ExitStack()

    def on_train_begin(self, net: Any, **_: Any) -> None:
        has_images = hasattr(net.module_.encoder, "aligner")
        self.is_watching = has_images == self.of_images
        if self.warm_up == 0:
            self._open(net)

    def on_batch_begin(self, net: Any, **_: Any) -> None:
        self.regions.switch(VIEWS)

    def on_grad_computed(self, net: Any, **_: Any) -> None:
        self.regions.switch(OPTIMISER)

    def on_batch_end(self, net: Any, **_: Any) -> None:
        if not self.is_watching:
            return
        self.n_done += 1
        self.regions.switch(BETWEEN)
        if self.n_done > 0:
            self.waiting[0].on_step()
            if self._is_over(self.waiting[0]):
                self._close()
        if self.n_done == 0:
            self._open(net)

    def on_train_end(self, net: Any, **_: Any) -> None:
        self.context.close()

    def _is_over(self, probe: Probe) -> bool:
        now = time.monotonic()
        is_long = now - self.opened_at >= probe.most_seconds
        return self.n_done >= probe.n_steps or is_long or now >= self.stop_at

    def _open(self, net: Any) -> None:
        if not self.waiting:
            raise EnoughError
        if self.is_watching:
            self.opened_at = time.monotonic()
            if self.waiting[0].follows_parts:
                net.steps_ = net.run_step
            self.context.enter_context(self.waiting[0].watching(net, self.regions))

    def _close(self) -> None:
        self.context.close()
        self.waiting.pop(0).conclude(self.n_done)
        self.n_done = 0


@contextmanager
def ending(watch: WatchSteps) -> Iterator[None]:
    """Close what a probe has opened, however the fit in the block ends."""
    try:
        with suppress(EnoughError):
            yield
    finally:
        watch.context.close()


def watch_embedding(
    embedder: IRLINREmbedder, images: np.ndarray, probes: list[Probe], **options: Any
) -> WatchSteps:
    """Let probes see training steps of an embedder; it is left unfitted."""
    watch = WatchSteps(probes, **options)
    embedder.set_params(callbacks=[watch], max_epochs=_count_epochs(watch))
    with ending(watch):
        embedder.fit(images)
    return watch


def _count_epochs(watch: WatchSteps) -> int:
    """Return epochs enough for all probes, an epoch having at least one step."""
    return watch.warm_up + sum(probe.n_steps for probe in watch.probes)


def watch_tuning(
    clusterer: SCANClusterer,
    embedder: IRLINREmbedder,
    images: np.ndarray,
    probes: list[Probe],
    **options: Any,
) -> WatchSteps:
    """Let probes see steps of SCAN's fine-tuning behind a hardly trained embedder."""
    n_few = 2 * clusterer.batch_size
    embedder.set_params(callbacks=None, max_epochs=1, batch_size=clusterer.batch_size)
    embedding = embedder.fit(images[:n_few]).transform(images)
    watch = WatchSteps(probes, **options)
    clusterer.set_params(
        callbacks=[watch],
        max_epochs=1,
        fine_tune=True,
        fine_tune_max_epochs=_count_epochs(watch),
    )
    with ending(watch):
        clusterer.fit(embedding)
    return watch


def watch_heads(
    clusterer: SCANClusterer, z: np.ndarray, probes: list[Probe], **options: Any
) -> WatchSteps:
    """Let probes see steps of SCAN's heads on rows of z."""
    watch = WatchSteps(probes, of_images=False, **options)
    clusterer.set_params(
        callbacks=[watch], fine_tune=False, max_epochs=_count_epochs(watch)
    )
    with ending(watch):
        clusterer.fit(z)
    return watch


def make_noise(side: int, n_images: int, seed: int = 0) -> np.ndarray:
    """Return images of noise (n, side, side), uint8, of which nothing is cropped."""
    shape = n_images, side, side
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def gather(probes: list[Probe]) -> dict[str, Any]:
    """Return what all probes found."""
    return {name: value for probe in probes for name, value in probe.found.items()}
