"""Shards that the command line writes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from invariant_cluster.out_of_core import predict_shards


def write_shards(
    model: Any,
    images: Any,
    folder: Path,
    rows_per_shard: int,
    scheduler: str | None,
    overwrite: bool,
) -> None:
    """Label images shard by shard, with a progress bar and warnings of one line.

    Parameters
    ----------
    model : fitted Pipeline of an embedder and a clusterer
        Model to query.
    images : array-like of n images
        Images; with a scheduler, of a path that workers can open.
    folder : Path
        Folder to write to.
    rows_per_shard : int
        Number of images per file.
    scheduler : str or None
        Address of a dask scheduler.
    overwrite : bool
        Whether to replace shards of another run.

    Raises
    ------
    ValueError, TypeError, ImportError
        As ``out_of_core.predict_shards``.
    """
    with _one_line_warnings():
        predict_shards(
            model,
            images,
            folder,
            rows_per_shard=rows_per_shard,
            scheduler=scheduler,
            overwrite=overwrite,
            verbose=1,
        )


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    """Print each warning of the images as one line on stderr, once."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in shown:
            typer.echo(f"Warning: {message}", err=True)
        shown.add(str(message))

    with warnings.catch_warnings():
        # "once" would not do: it starts anew after each catch_warnings of others.
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield
