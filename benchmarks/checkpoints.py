"""What an interrupted run leaves behind, so that the next one goes on from there."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import torch
from skorch.callbacks import Callback

from invariant_cluster.training import TrainingProgress


def folder_of(root: Path, what: dict[str, Any]) -> Path:
    """Return the folder for a description; it names neither code nor machine."""
    text = json.dumps(what, sort_keys=True)
    return root / hashlib.sha256(text.encode()).hexdigest()[:20]


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` make a file that appears under its name only when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    write(unfinished)
    os.replace(unfinished, path)


def keep(path: Path, value: Any) -> None:
    """Store a fitted estimator, or anything that pickles."""
    write_whole(path, lambda unfinished: joblib.dump(value, unfinished))


def recall(path: Path) -> Any:
    """Return what was stored."""
    return joblib.load(path)


class ResumeTraining(Callback):
    """Stores a net's training at ends of epochs, and goes on from what is stored.

    Weights, optimizer, schedule, random generators and history are stored, so that a
    training that was interrupted ends with the weights of one that was not. Each
    stage has a file of its own: SCAN's stages share their callbacks. The files stay
    after training, so that the stages after it can be interrupted too; ``discard``
    deletes them.

    Parameters
    ----------
    path : path-like
        Start of the files' names.
    every_seconds : float
        The least time between two stores; the last epoch is always stored.
    """

    def __init__(self, path: str | os.PathLike[str], every_seconds: float = 60) -> None:
        self.path = path
        self.every_seconds = every_seconds

    def on_train_begin(self, net: Any, **_: Any) -> None:
        """Go on from the stored state, if there is one."""
        self.max_epochs_ = net.max_epochs
        self.stored_at_ = time.monotonic()
        path = self._file(net)
        if path.exists():
            restore(net, torch.load(path, map_location="cpu", weights_only=True))
            net.max_epochs = self.max_epochs_ - len(net.history)

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Store the state if it is time to."""
        due = time.monotonic() - self.stored_at_ >= self.every_seconds
        if due or len(net.history) == self.max_epochs_:
            write_whole(self._file(net), lambda path: torch.save(capture(net), path))
            self.stored_at_ = time.monotonic()

    def on_train_end(self, net: Any, **_: Any) -> None:
        """Give the net its number of epochs back."""
        net.max_epochs = self.max_epochs_

    def discard(self) -> None:
        """Delete what was stored, and the folder if that empties it."""
        start = Path(self.path)
        for path in start.parent.glob(f"{start.name}-*.pt*"):
            path.unlink()
        if start.parent.is_dir() and not any(start.parent.iterdir()):
            start.parent.rmdir()

    def _file(self, net: Any) -> Path:
        start = Path(self.path)
        return start.with_name(f"{start.name}-{stage_of(net)}.pt")


def stage_of(net: Any) -> str:
    """Return what a net's progress bar calls its training, as part of a file's name."""
    bars = [call for _, call in net.callbacks_ if isinstance(call, TrainingProgress)]
    return bars[0].stage.replace(" ", "-")


def capture(net: Any) -> dict[str, Any]:
    """Return all that a net's further training depends on."""
    return {
        "states": {name: part.state_dict() for name, part in stateful(net).items()},
        "history": [plain_epoch(epoch) for epoch in net.history],
        "cpu_generator": torch.get_rng_state(),
        "gpu_generators": torch.cuda.get_rng_state_all(),
    }


def restore(net: Any, stored: dict[str, Any]) -> None:
    """Set a net to what ``capture`` returned."""
    for name, part in stateful(net).items():
        part.load_state_dict(stored["states"][name])
    net.history.clear()
    net.history.extend(stored["history"])
    torch.set_rng_state(stored["cpu_generator"])
    torch.cuda.set_rng_state_all(stored["gpu_generators"])


def stateful(net: Any) -> dict[str, Any]:
    """Return the parts of a net that have a state: also callbacks or their schedule."""
    parts = {
        "module": net.module_,
        "criterion": net.criterion_,
        "optimizer": net.optimizer_,
    }
    for name, callback in net.callbacks_:
        part = getattr(callback, "schedule_", callback)
        if hasattr(part, "state_dict"):
            parts[f"callback {name}"] = part
    return parts


def plain_epoch(epoch: dict[str, Any]) -> dict[str, Any]:
    """Return an epoch's row of the history, without its batches, as plain numbers."""
    row = {
        key: getattr(value, "item", lambda v=value: v)() for key, value in epoch.items()
    }
    return {**row, "batches": []}
