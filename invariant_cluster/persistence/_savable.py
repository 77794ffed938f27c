"""Methods that save and load fitted estimators without pickle."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self

from torch import nn

from invariant_cluster.persistence._known_classes import Savable
from invariant_cluster.persistence._model_file import (
    join_parts,
    read_model,
    split_parts,
    write_model,
)
from invariant_cluster.persistence._recipe import restore


class SavableMixin(Savable):
    """Mixin that adds ``save`` and ``load`` to an estimator.

    A subclass implements ``_dump`` and ``_restore``.

    See Also
    --------
    save_model : Save an estimator or a whole Pipeline.
    load_model : Load a file with any model.
    """

    def save(self, path: str | os.PathLike[str], *, encoder_only: bool = False) -> None:
        """Write the fitted estimator to a file that cannot run code when loaded.

        Parameters
        ----------
        path : path-like
            File to write, completely or not at all; it is replaced if it exists.
        encoder_only : bool, default=False
            Whether to omit the parts that ``transform`` does not need, which are most
            of the bytes of an ``IRLINREmbedder``. A loaded embedder then cannot
            ``reconstruct``, ``draw`` or ``score``. No effect on estimators that need
            all their parts, such as clusterers.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        FileNotFoundError
            If the folder does not exist.
        TypeError, ValueError
            If a parameter cannot be saved, such as a callable other than ``encoder``.

        See Also
        --------
        load : Load the file.
        save_model : Save a whole Pipeline.

        Notes
        -----
        Weights are in the safetensors format, everything else is JSON in its header; no
        pickle. Callbacks, random generators and fitted attributes that a subclass adds
        are not saved. A loaded model cannot continue its training; joblib keeps
        everything that this needs.
        """
        part = self._dump(encoder_only=encoder_only)
        write_model(path, join_parts([(None, part)]))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoder: Callable[[int], nn.Module] | None = None,
    ) -> Self:
        """Return the fitted estimator that :meth:`save` wrote.

        Parameters
        ----------
        path : path-like
            File of a single estimator.
        encoder : callable, optional
            Factory that was the parameter ``encoder`` in training, if it was your own
            code. A file holds its weights, not its code.

        Returns
        -------
        estimator
            Fitted instance of this class or a subclass, on the CPU.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, has a newer format, or holds another model.

        Warns
        -----
        UserWarning
            If a newer version of this package wrote the file.

        See Also
        --------
        save : Write such a file.
        load_model : Load a file with any estimator or Pipeline.
        """
        parts = split_parts(read_model(path))
        estimator = restore(parts[0][1], encoder) if len(parts) == 1 else None
        if not isinstance(estimator, cls):
            found = ", ".join(str(part.spec.get("class")) for _, part in parts)
            raise ValueError(
                f"path={str(path)!r} holds {found}, not {cls.__name__}: use "
                "invariant_cluster.load_model, which loads any model."
            )
        return estimator


def check_savable(name: str | None, step: Any) -> None:
    """Raise an error unless a model file can hold the estimator.

    Parameters
    ----------
    name : str or None
        Name of the step or member; None for a model alone.
    step : Any
        The estimator.

    Raises
    ------
    TypeError
        If the estimator is from another package.

    See Also
    --------
    SavableMixin : Base class of estimators that can be saved.
    """
    if isinstance(step, SavableMixin):
        return
    place = "model is" if name is None else f"step {name!r} is"
    kind = step if isinstance(step, str) else type(step).__name__
    raise TypeError(
        f"{place} {kind}, which a model file cannot hold: save the embedder alone with "
        "its save method, or the whole model with joblib."
    )
