"""Training that continues the last fit."""

from __future__ import annotations

import copy
from typing import Any

from invariant_cluster.runtime import resolve_device
from invariant_cluster.training import TermNet, TrainingProgress

# Parameters that may differ between a fit and its continuation.
_MAY_CHANGE = {"max_epochs", "random_state", "verbose", "warm_start"}


def continue_net(embedder: Any, max_epochs: int) -> TermNet:
    """Return a copy of the net of the last fit, ready for more epochs.

    Embeddings of the last fit may still compute z with its encoder, hence the copy. The
    user's callbacks are not copied.

    Parameters
    ----------
    embedder : ImageEmbedder
        Fitted.
    max_epochs : int
        Epochs to add.

    Returns
    -------
    TermNet

    Raises
    ------
    ValueError
        When the embedder was loaded from a model file, or a parameter has changed that
        must not.
    """
    net = embedder.net_
    if not net.history:
        raise ValueError(
            "warm_start=True but this embedder was loaded from a model file, which "
            "holds no state of training: set warm_start=False to start anew, or keep "
            "embedders to be trained further with joblib."
        )
    _check_unchanged(embedder)
    users = [item[1] if isinstance(item, tuple) else item for item in net.callbacks]
    net = copy.deepcopy(net, {id(callback): callback for callback in users})
    net.set_params(max_epochs=max_epochs)
    net.device = str(resolve_device(embedder.device))
    for _, callback in net.callbacks_:
        if isinstance(callback, TrainingProgress):
            callback.verbose = embedder.verbose
    return net


def _check_unchanged(embedder: Any) -> None:
    """Raise if a warm start would train another model, or in another way."""
    for name, value in embedder.get_params(deep=False).items():
        fitted = embedder._fitted_params[name]
        if name not in _MAY_CHANGE and repr(value) != repr(fitted):
            raise ValueError(
                f"{name}={value!r} but warm_start goes on with {name}={fitted!r} of "
                "the last fit: set it back, or set warm_start=False to start anew."
            )
