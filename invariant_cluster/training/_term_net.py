"""A skorch net whose criterion returns named loss terms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar, NamedTuple, cast

import torch
from skorch import NeuralNet
from skorch.callbacks import EarlyStopping, PassthroughScoring
from skorch.dataset import get_len
from torch import Tensor, nn

from invariant_cluster.runtime import seeded
from invariant_cluster.training._compiled_trunk import compiled_trunk
from invariant_cluster.training._processes import (
    ALONE,
    Team,
    add_gradients,
    check_shares,
    current_team,
    from_first,
    gathered,
    share_state,
)
from invariant_cluster.training._rows import ImageRows, SharedRows
from invariant_cluster.training._step_graph import GraphedSteps, Step
from invariant_cluster.training._synced_norm import synchronized_norms

# On a GPU, reading a loss makes the processor wait for all steps before it.
_STEPS_BETWEEN_LOOKS = 50


class Unread(NamedTuple):
    """Loss terms of a step that were not read from the device yet.

    Attributes
    ----------
    batch : dict
        Row of the history that they belong to.
    values : Tensor of shape (1 + n_terms,)
        The loss and the other terms, on the device.
    """

    batch: dict[str, Any]
    values: Tensor


class TermNet(NeuralNet):
    """Net whose criterion returns a dict of loss terms, including "loss".

    Each term is recorded for every batch and averaged over the epoch. A loss that is
    not finite stops the training: on a CPU at once, on other devices within 50 steps,
    since losses are read from there together.

    Parameters
    ----------
    *args
        Positional arguments of ``skorch.NeuralNet``.
    terms : tuple of str, default=()
        Names of the criterion's terms besides "loss".
    lr_name : str, default="lr"
        Name of the user's parameter for the learning rate, for error messages.
    **kwargs
        Keyword arguments of ``skorch.NeuralNet``.

    Attributes
    ----------
    interrupted_ : bool
        Whether Ctrl-C stopped the last training.
    unread_ : list of Unread
        Steps whose loss terms are still on the device.
    steps_ : callable
        Runs the forward and backward pass of a step, only during a fit: ``run_step``
        or, on a GPU, a :class:`GraphedSteps`, unless several processes train or a
        part of the module or the criterion has the attribute ``replayable = False``.
    team_ : Team
        The processes that share each batch; one, except while several train.

    See Also
    --------
    make_net : Build a net with the package's settings.
    history_frame : Return the recorded terms as a table.
    """

    unread_: list[Unread]
    steps_: Step
    team_: Team = ALONE
    # Whether several processes share each batch. If not, each does all steps.
    divides_batches: ClassVar[bool] = True

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
        """Return skorch's callbacks, and one per term that averages it."""
        averages = [
            (name, PassthroughScoring(name=name, on_train=True)) for name in self.terms
        ]
        return super()._default_callbacks + averages

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Run the forward and backward pass of one step.

        Parameters
        ----------
        batch : (Tensor, Tensor)
            Rows and an empty target.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        dict
            "loss", the loss, and "y_pred", None: predictions would only occupy memory.

        Raises
        ------
        FloatingPointError
            If the loss is not finite.
        """
        self._set_training(True)
        values = self.steps_(batch[0])
        self.unread_.append(Unread(self.history[-1]["batches"][-1], values))
        if len(self.unread_) >= self._steps_between_looks:
            self._read_losses()
        return {"loss": values[0], "y_pred": None}

    def run_step(self, rows: Tensor) -> Tensor:
        """Run the forward and backward pass for rows.

        Parameters
        ----------
        rows : Tensor of shape (n, ...)
            Rows of the step.

        Returns
        -------
        Tensor of shape (1 + n_terms,)
            The loss, then the other terms in the order of ``terms``, without gradient.
        """
        outputs = self.infer(rows)
        if self.team_.size > 1:
            outputs = self.collect(outputs)
        terms = self.criterion_(outputs, None)
        self._check_terms(terms)
        terms["loss"].backward()
        if self.team_.size > 1:
            add_gradients(self.module_.parameters())
        return torch.stack(
            [terms[name].detach().float() for name in ("loss", *self.terms)]
        )

    def collect(self, outputs: Any) -> Any:
        """Return the outputs of all processes for the whole batch.

        Parameters
        ----------
        outputs : object
            Output of ``infer`` for the share of this process: a tensor, or a tuple of
            tensors, with rows in the first dimension.

        Returns
        -------
        object
            The same for all rows, the input of the criterion.

        See Also
        --------
        gathered : Gather outputs of other shapes.
        """
        return gathered(outputs)

    @property
    def _steps_between_looks(self) -> int:
        """Number of steps whose losses are read together."""
        on_cpu = torch.device(self.device).type == "cpu"
        return 1 if on_cpu else _STEPS_BETWEEN_LOOKS

    def _read_losses(self) -> None:
        """Record the terms of the last steps; raise if a loss is not finite."""
        unread, self.unread_ = self.unread_, []
        if not unread:
            return
        rows = torch.stack([step.values for step in unread]).tolist()
        names = ("train_loss", *self.terms)
        for step, row in zip(unread, rows, strict=True):
            step.batch.update(zip(names, row, strict=True))
            loss = step.batch["train_loss"]
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"The training loss became {loss} in epoch {len(self.history)}: "
                    f"lower {self.lr_name} (now {self.lr}), and use "
                    "precision='float32'."
                )

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Train for one epoch, as skorch does, but without reading each loss at once.

        Parameters
        ----------
        iterator : DataLoader or None
            Batches; None, without a validation set, does nothing.
        training : bool
            Passed to the callbacks.
        prefix : str
            Prefix of the names in the history.
        step_fn : callable
            Runs a step on a batch.
        **fit_params
            Passed to ``step_fn``.

        Raises
        ------
        FloatingPointError
            If a loss is not finite.
        """
        if iterator is None:
            return
        n_batches = 0
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.history.record_batch(f"{prefix}_batch_size", get_len(batch[0]))
            self.notify("on_batch_end", batch=batch, training=training, **step)
            n_batches += 1
        self._read_losses()
        self.history.record(f"{prefix}_batch_count", n_batches)

    def _check_terms(self, terms: dict[str, Tensor]) -> None:
        """Raise if the loss or a term that was announced is missing."""
        missing = {"loss", *self.terms} - set(terms)
        if missing:
            raise ValueError(
                f"{type(self.criterion_).__name__} returned the terms {sorted(terms)} "
                f"without {sorted(missing)}: return 'loss' and each name in _terms, as "
                "scalar tensors."
            )

    def fit_loop(self, X: Any, *args: Any, **kwargs: Any) -> TermNet:
        """Train, and record whether Ctrl-C stopped the training.

        Parameters
        ----------
        X : Dataset
            Training rows.
        *args
            Other positional arguments of skorch's ``fit_loop``.
        **kwargs
            Keyword arguments of skorch's ``fit_loop``.

        Returns
        -------
        TermNet
            The net itself.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C and on early stopping; skorch's ``fit`` catches it.
        FloatingPointError
            If the loss becomes NaN or infinite.
        """
        self.interrupted_ = False
        self.unread_ = []
        try:
            with self._together(), self._compiled(X):
                self.steps_ = self._make_steps()
                return super().fit_loop(X, *args, **kwargs)
        except KeyboardInterrupt:
            self.interrupted_ = not self._stopped_early()
            raise
        except Exception:
            # skorch notifies only after an interrupt; the progress bar must be closed.
            self.notify("on_train_end")
            raise
        finally:
            self.__dict__.pop("steps_", None)

    def _compiled(self, rows: ImageRows) -> AbstractContextManager[None]:
        """Return the context in which the trunk may be compiled."""
        device = torch.device(self.device)
        if device.type != "cuda" or self.team_.size > 1:
            return nullcontext()
        n_values = len(rows) * self.max_epochs * rows.n_pixels
        return compiled_trunk(self.module_, device, n_values)

    def _make_steps(self) -> Step:
        """Return what runs the steps: a graph on a GPU, if the modules allow it."""
        device = torch.device(self.device)
        parts = (*self.module_.modules(), *self.criterion_.modules())
        allowed = all(getattr(part, "replayable", True) for part in parts)
        if device.type != "cuda" or self.team_.size > 1 or not allowed:
            return self.run_step
        parameters = [p for _, p in self.get_all_learnable_params()]
        return GraphedSteps(self.run_step, parameters, device)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without a recorded step, which lies on the device."""
        state = super().__getstate__()
        state.pop("steps_", None)
        return cast(dict[str, Any], state)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Share each batch with the other processes inside a block, if there are any.

        All draw the same batches. Each has random views of its own.
        """
        team = current_team() if self.divides_batches else ALONE
        if team.size == 1:
            yield
            return
        parts = [part for part in vars(self).values() if isinstance(part, nn.Module)]
        share_state(*parts)
        drawn = int(torch.randint(2**31, ()))
        seed = from_first(lambda: drawn)
        self.team_, self.iterator_train__generator = team, torch.Generator()
        self.iterator_train__generator.manual_seed(seed)
        try:
            with seeded(seed + team.rank, self.device), synchronized_norms(*parts):
                yield
        finally:
            del self.team_, self.iterator_train__generator

    def _stopped_early(self) -> bool:
        """Return whether skorch's EarlyStopping raised the KeyboardInterrupt."""
        return any(
            isinstance(callback, EarlyStopping)
            and callback.misses_ >= callback.patience
            for _, callback in self.callbacks_
        )

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return an iterator over batches, without an incomplete last one.

        A batch of one row has no batch statistics. An incomplete batch is kept only if
        it is the only one.

        Parameters
        ----------
        dataset : Dataset
            Training rows.
        training : bool, default=False
            Whether to use the settings of the training iterator.

        Returns
        -------
        DataLoader
            Iterator over batches.
        """
        self.iterator_train__drop_last = len(dataset) > self.batch_size
        if self.team_.size > 1:
            check_shares(self.batch_size, len(dataset))
            dataset = SharedRows(dataset, self.team_)
        return super().get_iterator(dataset, training=training)
