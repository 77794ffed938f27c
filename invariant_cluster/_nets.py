"""Training: skorch nets whose criterion returns named loss terms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, cast

import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, PassthroughScoring
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.lr_scheduler import OneCycleLR

from invariant_cluster._intensity import evenly_spaced
from invariant_cluster._rows import (
    ImageRows,
    NeighborPairs,
    count_batches,
    keep_batch,
)
from invariant_cluster._runtime import row_limit, to_tensor
from invariant_cluster._views import Augmentation, rigid_views, vary
from invariant_cluster.modules import ImageEncoder, SimCLR, ViewPair


class TermNet(NeuralNet):
    """A net whose criterion returns a dict of terms, "loss" among them.

    Each term is recorded for every batch and averaged over the epoch. A loss that
    is not finite stops training; Ctrl-C stops it too and sets ``interrupted_``.

    Parameters
    ----------
    terms : tuple of str
        The criterion's terms beside "loss".
    lr_name : str
        What the user calls the learning rate, for messages.
    """

    def __init__(
        self,
        *args: Any,
        terms: tuple[str, ...] = (),
        lr_name: str = "lr",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.terms = terms
        self.lr_name = lr_name

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        averages = [
            (name, PassthroughScoring(name=name, on_train=True)) for name in self.terms
        ]
        return super()._default_callbacks + averages

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Return the loss alone: predictions would only hold memory."""
        self._set_training(True)
        loss = self.get_loss(self.infer(batch[0], **fit_params), None)
        loss.backward()
        return {"loss": loss.detach(), "y_pred": None}

    def get_loss(
        self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the loss and record every term of the batch."""
        terms = self.criterion_(y_pred, y_true)
        # All in one transfer: each makes the processor wait for the GPU.
        values = torch.stack([term.detach() for term in terms.values()]).tolist()
        numbers = dict(zip(terms, values, strict=True))
        loss = numbers.pop("loss")
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The training loss became {loss} in epoch {len(self.history)}: "
                f"lower {self.lr_name} (now {self.lr}), and use precision='float32'."
            )
        for name, value in numbers.items():
            self.history.record_batch(name, value)
        return cast(Tensor, terms["loss"])

    def fit_loop(self, *args: Any, **kwargs: Any) -> TermNet:
        """Train; remember an interrupt, which skorch would swallow."""
        self.interrupted_ = False
        try:
            return super().fit_loop(*args, **kwargs)
        except KeyboardInterrupt:
            self.interrupted_ = not self._stopped_early()
            raise
        except Exception:
            # skorch ends training for an interrupt only; the progress bar must close.
            self.notify("on_train_end")
            raise

    def _stopped_early(self) -> bool:
        """Tell skorch's EarlyStopping, which raises KeyboardInterrupt, from Ctrl-C."""
        return any(
            isinstance(callback, EarlyStopping)
            and callback.misses_ >= callback.patience
            for _, callback in self.callbacks_
        )

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Drop a last, incomplete batch: of one row it has no batch statistics."""
        self.iterator_train__drop_last = len(dataset) > self.batch_size
        return super().get_iterator(dataset, training=training)


class IRLINRNet(TermNet):
    """Trains an ``IRLINR`` module on images and two moved copies of each.

    Parameters
    ----------
    translation_std : float
        Of the copies, as a fraction of the longer side.
    n_pixels : int or None
        Pixels that are reconstructed in a step.
    """

    def __init__(
        self,
        *args: Any,
        translation_std: float = 0.0,
        n_pixels: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.translation_std = translation_std
        self.n_pixels = n_pixels

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> TrainingBatch."""
        encoder = self.module_.encoder
        aligner, variation = encoder.aligner, encoder.variation
        images = aligner.scale(x.to(self.device))
        copies = rigid_views(
            images.repeat(2, 1, 1, 1),
            translation_std=self.translation_std,
            fill=aligner.fill,
            reflection=variation.reflection,
        )
        views = vary(aligner(copies), variation, aligner.fill)
        seen = torch.cat([aligner(images), views])
        return self.module_.forward_views(seen, self.n_pixels)


class SimCLRNet(TermNet):
    """Trains a ``SimCLR`` module on two augmented views of each image.

    Parameters
    ----------
    augmentation : Augmentation
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> ViewPair."""
        return contrast_views(self.module_, x.to(self.device), self.augmentation)


class VAENet(TermNet):
    """Trains a ``PoseVAE`` module on images as they are.

    Parameters
    ----------
    n_pixels : int or None
        Pixels that are reconstructed in a step.
    """

    def __init__(self, *args: Any, n_pixels: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_pixels = n_pixels

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> VAEBatch."""
        aligner = self.module_.encoder.aligner
        seen = aligner(aligner.scale(x.to(self.device)))
        return self.module_.forward_sample(seen, self.n_pixels)


class HeadsNet(TermNet):
    """Trains the heads of a ``ScanModule`` on rows of z and their neighbours."""

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Anchors and neighbours (2 b, d) -> log-probabilities (n_heads, 2 b, k)."""
        return cast(Tensor, self.module_(x.to(self.device)))


class ScanNet(TermNet):
    """Trains a ``ScanModule`` on augmented images and their neighbours.

    Parameters
    ----------
    augmentation : Augmentation
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Anchors and neighbours (2 b, c, h, w) -> log-probabilities, as HeadsNet's."""
        return self.augmented(self.module_.encoder.aligner.scale(x.to(self.device)))

    def augmented(self, images: Tensor) -> Tensor:
        """Return log-probabilities of augmented scaled images."""
        seen = augment_aligned(images, self.module_.encoder, self.augmentation)
        return self.module_.forward_aligned(seen)


class SelfLabelNet(ScanNet):
    """Trains a ``ScanModule`` of one head on its own confident labels."""

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> log-probabilities (b, k), plain and augmented."""
        x = x.to(self.device)
        self.module_.eval()
        with torch.no_grad():
            plain = self.module_(x)[0]
        self.module_.train()
        return plain, self.augmented(self.module_.encoder.aligner.scale(x))[0]


def contrast_views(module: SimCLR, raw: Tensor, augmentation: Augmentation) -> ViewPair:
    """Encode two augmented views of each raw image (n, c, h, w)."""
    images = module.encoder.aligner.scale(raw).repeat(2, 1, 1, 1)
    return module.forward_views(augment_aligned(images, module.encoder, augmentation))


def augment_aligned(
    images: Tensor, encoder: ImageEncoder, augmentation: Augmentation
) -> Tensor:
    """Return augmented views of scaled images, aligned as the encoder takes them."""
    aligner, variation = encoder.aligner, encoder.variation
    moved = augmentation.move(images, aligner.fill, reflection=variation.reflection)
    return augmentation.distort(aligner(moved), aligner.fill, variation)


class OneCycleSchedule(Callback):
    """Learning rates that rise to their highest and fall to nearly 0, in each fit.

    skorch's ``LRScheduler`` would need the number of steps before a fit; a warm start
    may take another.
    """

    def on_train_begin(self, net: Any, X: Any = None, **_: Any) -> None:
        """Plan one cycle over all batches; each parameter group's own lr is its top."""
        optimizer = net.optimizer_
        highest = [group.get("max_lr", group["lr"]) for group in optimizer.param_groups]
        total_steps = count_batches(len(X), net.batch_size) * net.max_epochs
        self.schedule_ = OneCycleLR(
            optimizer, highest, total_steps=total_steps, cycle_momentum=False
        )

    def on_batch_end(self, net: Any, **_: Any) -> None:
        """Go one step on."""
        self.schedule_.step()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the schedule out of pickles: it holds the optimizer's tensors."""
        return {k: v for k, v in self.__dict__.items() if k != "schedule_"}


def make_net(
    net_class: type[TermNet],
    module: torch.nn.Module,
    objective: torch.nn.Module,
    *,
    lr: float,
    lr_schedule: str = "one_cycle",
    weight_decay: float,
    max_epochs: int,
    batch_size: int,
    device: torch.device,
    callbacks: list[Any],
    **options: Any,
) -> TermNet:
    """Return an untrained net with the package's training settings.

    Adam as in the paper; with ``lr_schedule="one_cycle"`` the learning rate rises to
    ``lr`` in the first third of the steps and then falls to nearly 0.
    """
    schedules = [OneCycleSchedule()] if lr_schedule == "one_cycle" else []
    return net_class(
        module,
        criterion=objective,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=weight_decay,
        lr=lr,
        max_epochs=max_epochs,
        batch_size=batch_size,
        train_split=None,
        iterator_train__shuffle=True,
        iterator_train__collate_fn=keep_batch,
        device=str(device),
        callbacks=[*schedules, *callbacks],
        callbacks__valid_loss=None,
        callbacks__print_log=None,
        verbose=0,
        **options,
    )


def resting_net(module: torch.nn.Module) -> TermNet:
    """Return a net that holds a trained module, on the CPU, and trains it no more."""
    net = TermNet(module, criterion=torch.nn.Identity, train_split=None, verbose=0)
    net.initialize()
    net.module_.eval()
    return net


def train(
    net: TermNet,
    rows: NDArray,
    neighbors: NDArray | None = None,
    *,
    resume: bool = False,
) -> None:
    """Train on rows (n, ...), with neighbours (n, k) or alone; then rest on the CPU.

    With ``resume`` the net goes on from where it stands. After an interrupt the net is
    left as trained so far, with ``interrupted_`` set.
    """
    dataset = ImageRows(rows) if neighbors is None else NeighborPairs(rows, neighbors)
    try:
        if resume:
            net.module_.to(net.device)
            net.partial_fit(dataset)
        else:
            net.fit(dataset)
        recalibrate(net.module_, rows, net.device)
    finally:
        # A bad callback can stop skorch before it has made module_ of module.
        module = cast(nn.Module, getattr(net, "module_", net.module))
        module.to("cpu").eval()


@torch.no_grad()
def recalibrate(module: nn.Module, rows: NDArray, device: str) -> None:
    """Set the encoder's statistics of batch normalisation to those of the rows.

    The running averages lag behind a short training, and were taken over moved and
    augmented copies. At most 64 MiB of evenly spaced rows are read. A decoder keeps its
    own: it sees no rows here.
    """
    encoder = getattr(module, "encoder", module)
    norms = [m for m in encoder.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    module.train()
    sample = evenly_spaced(rows)
    for batch in gen_batches(len(sample), row_limit(sample), min_batch_size=2):
        module(to_tensor(sample[batch], device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def history_frame(net: TermNet) -> pd.DataFrame:
    """Return the epochs' mean loss, loss terms and seconds, one row an epoch."""
    columns = {"train_loss": "loss", **dict.fromkeys(net.terms), "dur": "seconds"}
    rows = [
        {new or name: row[name] for name, new in columns.items()}
        for row in net.history
        if "dur" in row
    ]
    frame = pd.DataFrame(rows, columns=[new or name for name, new in columns.items()])
    return frame.rename_axis("epoch")


def check_callbacks(callbacks: Iterable[Any] | None) -> None:
    """Raise a TypeError unless all are skorch callbacks, or (name, callback) pairs."""
    for item in callbacks or []:
        callback = item[1] if isinstance(item, tuple) and len(item) == 2 else item
        if isinstance(callback, type) or not hasattr(callback, "on_train_begin"):
            raise TypeError(
                f"callbacks={callbacks!r} holds {item!r}, no skorch callback: give "
                "objects such as skorch.callbacks.EarlyStopping(monitor='train_loss')."
            )
        if str(getattr(callback, "monitor", "")).startswith("valid"):
            raise ValueError(
                f"callbacks={callbacks!r} holds one with monitor={callback.monitor!r}, "
                "but all images are trained on: give monitor='train_loss'."
            )
