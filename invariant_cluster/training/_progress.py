"""What is printed while a net trains."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from tqdm.auto import tqdm

from invariant_cluster.training._rows import count_batches


class TrainingProgress(Callback):
    """A bar over all batches, with the time left, and the loss terms of the last epoch.

    Parameters
    ----------
    stage : str
        Its title.
    verbose : int
        0 prints nothing, 1 the bar, 2 a line of loss terms an epoch too.
    """

    def __init__(self, stage: str, verbose: int = 0) -> None:
        self.stage = stage
        self.verbose = verbose

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
        """Open the bar."""
        total = count_batches(len(X), net.batch_size) * net.max_epochs
        self.last_epoch_ = len(net.history) + net.max_epochs
        self.bar_ = tqdm(
            total=total, desc=self.stage, unit="batch", disable=self.verbose < 1
        )

    def on_batch_end(self, net: Any, **_: Any) -> None:
        """Advance the bar, from whose rate tqdm tells the time left."""
        self.bar_.update()

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Show the epoch's losses."""
        row = net.history[-1]
        losses = (
            f"epoch {row['epoch']}/{self.last_epoch_}, loss {row['train_loss']:.4g}"
        )
        self.bar_.set_postfix_str(losses)
        if self.verbose > 1:
            terms = ", ".join(f"{name} {row[name]:.4g}" for name in net.terms)
            self.bar_.write(f"{self.stage}: {losses}, {terms}")

    def on_train_end(self, net: Any, **_: Any) -> None:
        """Close the bar."""
        self.bar_.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the bar out of pickles: it holds a stream."""
        return {k: v for k, v in self.__dict__.items() if k != "bar_"}
