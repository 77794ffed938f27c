"""Checks of the user's callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def check_callbacks(callbacks: Iterable[Any] | None) -> None:
    """Check that all callbacks are skorch callbacks that this package can run.

    Parameters
    ----------
    callbacks : iterable of callback or (str, callback), optional
        The user's parameter ``callbacks``; None passes.

    Raises
    ------
    TypeError
        If an item is not an instance of a skorch callback.
    ValueError
        If a callback monitors a validation score. Training uses all images, so there is
        none.

    See Also
    --------
    make_net : Build a net with the callbacks.
    """
    for item in callbacks or []:
        callback = item[1] if isinstance(item, tuple) and len(item) == 2 else item
        if isinstance(callback, type) or not hasattr(callback, "on_train_begin"):
            raise TypeError(
                f"callbacks={callbacks!r} holds {item!r}, which is not a skorch "
                "callback: give objects such as "
                "skorch.callbacks.EarlyStopping(monitor='train_loss')."
            )
        if str(getattr(callback, "monitor", "")).startswith("valid"):
            raise ValueError(
                f"callbacks={callbacks!r} holds one with monitor={callback.monitor!r}, "
                "but training uses all images, without validation: use "
                "monitor='train_loss'."
            )
