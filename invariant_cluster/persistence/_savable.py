"""Saving and loading of fitted estimators, without pickle."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Self

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
    """Adds ``save`` and ``load`` to an estimator."""

    def save(self, path: str | os.PathLike[str], *, encoder_only: bool = False) -> None:
        """Write the fitted estimator to a file that cannot run code when loaded.

        Weights are in the safetensors format, everything else is JSON in its header; no
        pickle. Callbacks, generators and what a subclass of yours adds to the fitted
        attributes are left out, and a loaded model is not trained further: for that,
        joblib keeps everything.

        Parameters
        ----------
        path : path-like
            Replaced if it exists, whole or not at all.
        encoder_only : bool, default=False
            Leave out what ``transform`` does not need, which is most of the bytes of an
            ``IRLINREmbedder``: a loaded embedder cannot ``reconstruct``, ``draw`` or
            ``score``. A clusterer needs all that it has.

        Raises
        ------
        FileNotFoundError
            When the folder does not exist.
        TypeError, ValueError
            For parameters that a file cannot hold, such as code of your own other than
            an ``encoder``.
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
        """Return the estimator that a file of ``save`` holds.

        Parameters
        ----------
        path : path-like
        encoder : callable, optional
            The factory given as ``encoder`` when the model was trained, if it was your
            own: a file holds its weights, not its code.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        ValueError
            When it is damaged, of a newer version, or holds something else.
        """
        parts = split_parts(read_model(path))
        estimator = restore(parts[0][1], encoder) if len(parts) == 1 else None
        if not isinstance(estimator, cls):
            found = ", ".join(str(part.spec.get("class")) for _, part in parts)
            raise ValueError(
                f"path={str(path)!r} holds {found}, no {cls.__name__}: use "
                "invariant_cluster.load_model, which returns what there is."
            )
        return estimator
