"""Learning rates over the steps of a fit."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from torch.optim.lr_scheduler import OneCycleLR

from invariant_cluster.training._rows import count_batches


class OneCycleSchedule(Callback):
    """Learning-rate schedule with one rise and one fall per fit.

    Attributes
    ----------
    schedule_ : torch.optim.lr_scheduler.OneCycleLR
        The schedule of the present fit; not pickled.

    See Also
    --------
    make_net : Build a net with this schedule.

    Notes
    -----
    The rate rises from 1/25 of its peak to the peak over the first 30 % of the steps
    and then falls to nearly 0, along cosines. skorch's ``LRScheduler`` needs the number
    of steps before the fit, but a warm start may have another number.
    """

    def on_train_begin(self, net: Any, X: Any = None, **_: Any) -> None:
        """Plan one cycle over all batches of the fit.

        Parameters
        ----------
        net : TermNet
            Net with an optimiser. The present learning rate of each parameter group is
            its peak, or its earlier peak in a warm start.
        X : Dataset
            Training rows, whose number sets the number of steps.
        """
        optimizer = net.optimizer_
        highest = [group.get("max_lr", group["lr"]) for group in optimizer.param_groups]
        total_steps = count_batches(len(X), net.batch_size) * net.max_epochs
        self.schedule_ = OneCycleLR(
            optimizer, highest, total_steps=total_steps, cycle_momentum=False
        )

    def on_batch_end(self, net: Any, **_: Any) -> None:
        """Set the learning rate of the next step."""
        self.schedule_.step()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the schedule, which holds optimiser tensors."""
        return {k: v for k, v in self.__dict__.items() if k != "schedule_"}
