"""A skorch net whose criterion returns named loss terms."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from skorch import NeuralNet
from skorch.callbacks import EarlyStopping, PassthroughScoring
from torch import Tensor


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
        self._check_terms(terms)
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

    def _check_terms(self, terms: dict[str, Tensor]) -> None:
        """Raise if the loss or a term that was announced is missing."""
        missing = {"loss", *self.terms} - set(terms)
        if missing:
            raise ValueError(
                f"{type(self.criterion_).__name__} returned the terms {sorted(terms)} "
                f"without {sorted(missing)}: return 'loss' and each name in _terms, as "
                "scalar tensors."
            )

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
