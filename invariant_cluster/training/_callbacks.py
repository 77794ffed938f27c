"""Checks of the callbacks that a user gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


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
