"""Progress of the training, printed for the user."""

from __future__ import annotations

import sys
from typing import Any

import torch
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from invariant_cluster.progress import open_bar
from invariant_cluster.training._long_fit import Stopwatch, tell_time, warn_if_long
from invariant_cluster.training._processes import current_team
from invariant_cluster.training._rows import count_batches
from invariant_cluster.training._trial_step import time_step

_WORTH_TELLING = 10.0  # seconds, below which the bar says enough


class TrainingProgress(Callback):
    """Progress bar over all batches, with the remaining time and the last losses.

    Before the first batch, a training of ten seconds or more tells how long it will
    take: a step on copies of the modules is timed, which does not change the result.

    Parameters
    ----------
    stage : str
        Title of the bar.
    verbose : int, default=0
        0 prints nothing, and warns of a training that will take more than ten minutes;
        1 shows the bar; 2 also prints a line of loss terms per epoch.
    fit : str, default="This training"
        What the warning says takes long, such as "IRLINREmbedder.fit".
    remedy : str, default="a lower max_epochs"
        What the warning says takes less time.

    Attributes
    ----------
    bar_ : tqdm or None
        The bar, once it is open; not pickled.
    last_epoch_ : int
        Number of the last epoch, counted over all fits of the net.
    n_batches_ : int
        Number of batches of this training.
    stopwatch_ : Stopwatch
        Tells from the first batches whether the training will take long.

    See Also
    --------
    history_frame : Return the losses as a table.
    """

    def __init__(
        self,
        stage: str,
        verbose: int = 0,
        *,
        fit: str = "This training",
        remedy: str = "a lower max_epochs",
    ) -> None:
        self.stage = stage
        self.verbose = verbose
        self.fit = fit
        self.remedy = remedy

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
        """Count what is to be done.

        Parameters
        ----------
        net : TermNet
            The net.
        X : Dataset
            Training rows, whose number sets the length of the bar.
        """
        self.n_batches_ = count_batches(len(X), net.batch_size) * net.max_epochs
        self.last_epoch_ = len(net.history) + net.max_epochs
        self.stopwatch_ = Stopwatch(self.n_batches_, net.device)
        self.bar_: tqdm | None = None

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **_: Any) -> None:
        """Tell the time and open the bar, before the first epoch.

        Parameters
        ----------
        net : TermNet
            The net.
        dataset_train : Dataset
            Training rows.
        """
        if self.bar_ is not None:
            return
        if self._shows:
            self._tell_time(net, dataset_train)
        self.bar_ = open_bar(
            self.n_batches_, self.stage, unit="batch", shown=self._shows
        )

    def on_batch_end(self, net: Any, **_: Any) -> None:
        """Advance the bar by one batch; without a bar, warn if it will take long.

        Parameters
        ----------
        net : TermNet
            The net.
        """
        assert self.bar_ is not None
        self.bar_.update()
        if self.verbose > 0:
            return
        seconds = self.stopwatch_.count()
        if seconds is not None:
            device = torch.device(net.device).type
            warn_if_long(seconds, self.fit, device, self.remedy)

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Show the losses of the epoch.

        Parameters
        ----------
        net : TermNet
            The net, whose history holds the losses.
        """
        assert self.bar_ is not None
        row = net.history[-1]
        losses = (
            f"epoch {row['epoch']}/{self.last_epoch_}, loss {row['train_loss']:.4g}"
        )
        self.bar_.set_postfix_str(losses)
        if self._shows and self.verbose > 1:
            terms = ", ".join(f"{name} {row[name]:.4g}" for name in net.terms)
            self.bar_.write(f"{self.stage}: {losses}, {terms}")

    @property
    def _shows(self) -> bool:
        """Whether anything is printed; of several processes, the first one does."""
        return self.verbose > 0 and current_team().is_first

    def _tell_time(self, net: Any, dataset: Any) -> None:
        """Print how long a long training will take, where a step can be tried."""
        # Steps of a GPU are compiled and recorded first; other processes would wait.
        if torch.device(net.device).type != "cpu" or net.team_.size > 1:
            return
        seconds = (time_step(net, dataset) or 0.0) * self.n_batches_
        if seconds >= _WORTH_TELLING:
            n_batches = self.n_batches_ // net.max_epochs
            tqdm.write(
                f"{self.stage}: {net.max_epochs} epochs of {n_batches} batches, "
                f"{tell_time(seconds)}.",
                file=sys.stderr,
            )

    def on_train_end(self, net: Any, **_: Any) -> None:
        """Close the bar."""
        if self.bar_ is not None:
            self.bar_.close()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the bar, which holds an output stream."""
        return {k: v for k, v in self.__dict__.items() if k != "bar_"}
