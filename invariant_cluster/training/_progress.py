"""Progress of the training, printed for the user."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from tqdm.auto import tqdm

from invariant_cluster.training._processes import current_team
from invariant_cluster.training._rows import count_batches


class TrainingProgress(Callback):
    """Progress bar over all batches, with the remaining time and the last losses.

    Parameters
    ----------
    stage : str
        Title of the bar.
    verbose : int, default=0
        0 prints nothing; 1 shows the bar; 2 also prints a line of loss terms per epoch.

    Attributes
    ----------
    bar_ : tqdm
        The bar; not pickled.
    last_epoch_ : int
        Number of the last epoch, counted over all fits of the net.

    See Also
    --------
    history_frame : Return the losses as a table.
    """

    def __init__(self, stage: str, verbose: int = 0) -> None:
        self.stage = stage
        self.verbose = verbose

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
        """Open the bar.

        Parameters
        ----------
        net : TermNet
            The net.
        X : Dataset
            Training rows, whose number sets the length of the bar.
        """
        total = count_batches(len(X), net.batch_size) * net.max_epochs
        self.last_epoch_ = len(net.history) + net.max_epochs
        self.bar_ = tqdm(
            total=total, desc=self.stage, unit="batch", disable=not self._shows
        )

    def on_batch_end(self, net: Any, **_: Any) -> None:
        """Advance the bar by one batch."""
        self.bar_.update()

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Show the losses of the epoch.

        Parameters
        ----------
        net : TermNet
            The net, whose history holds the losses.
        """
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

    def on_train_end(self, net: Any, **_: Any) -> None:
        """Close the bar."""
        self.bar_.close()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the bar, which holds an output stream."""
        return {k: v for k, v in self.__dict__.items() if k != "bar_"}
