"""Training in stages: one net after another, one table of losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.training._history import history_frame
from invariant_cluster.training._loop import train
from invariant_cluster.training._term_net import TermNet


@dataclass
class Stage:
    """A net and the rows that it is trained on.

    Attributes
    ----------
    name : str
        Shown in the progress bar and in the column "stage" of the history.
    net : TermNet
        Untrained; it knows its number of epochs.
    rows : ndarray of shape (n, ...)
        Rows of z or images.
    neighbors : int ndarray of shape (n, k) or None
        Neighbours of each row, if the net trains on pairs.
    """

    name: str
    net: TermNet
    rows: NDArray
    neighbors: NDArray | None = None

    def run(self) -> None:
        """Train the net; after Ctrl-C its ``interrupted_`` is set."""
        train(self.net, self.rows, self.neighbors)


@dataclass
class StageRun:
    """The stages that were run.

    Attributes
    ----------
    stages : list of Stage
        At least one; the last may have been interrupted.
    interrupted : bool
        Whether Ctrl-C stopped the run.
    """

    stages: list[Stage]
    interrupted: bool

    @property
    def net(self) -> TermNet:
        """The net of the last stage."""
        return self.stages[-1].net

    @property
    def history(self) -> pd.DataFrame:
        """The histories of all stages below each other, with a column "stage"."""
        frames = [history_frame(s.net).assign(stage=s.name) for s in self.stages]
        return pd.concat(frames, ignore_index=True).rename_axis("epoch")


def run_stages(stages: Iterator[Stage]) -> StageRun:
    """Run stages in their order; stop after the one in which Ctrl-C was pressed.

    Parameters
    ----------
    stages : iterator of Stage
        Work between stages belongs in the iterator, which is asked for a stage when
        the one before has been trained.

    Returns
    -------
    StageRun

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C before the first stage, when there is nothing to keep.
    """
    done: list[Stage] = []
    while True:
        try:
            stage = next(stages, None)
        except KeyboardInterrupt:
            if not done:
                raise
            return StageRun(done, interrupted=True)
        if stage is None:
            return StageRun(done, interrupted=False)
        stage.run()
        done.append(stage)
        if stage.net.interrupted_:
            return StageRun(done, interrupted=True)
