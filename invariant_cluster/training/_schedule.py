"""Learning rates over the steps of a fit."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from torch.optim.lr_scheduler import OneCycleLR

from invariant_cluster.training._rows import count_batches


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
