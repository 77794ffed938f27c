"""Training in stages: several nets in sequence, with one table of losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.training._history import history_frame
from invariant_cluster.training._long_fit import one_long_fit
from invariant_cluster.training._loop import train
from invariant_cluster.training._term_net import TermNet


@dataclass
class Stage:
    """A net and the rows on which it is trained.

    Attributes
    ----------
    name : str
        Value of the column "stage" in the history.
    net : TermNet
        Untrained net; its ``max_epochs`` is set.
    rows : ndarray of shape (n, ...)
        Rows of z, or raw images.
    neighbors : int ndarray of shape (n, k) or None, default=None
        Neighbours of each row, if the net trains on pairs.

    See Also
    --------
    run_stages : Run several stages.
    """

    name: str
    net: TermNet
    rows: NDArray
    neighbors: NDArray | None = None

    def run(self) -> None:
        """Train the net; after Ctrl-C its ``interrupted_`` is True.

        See Also
        --------
        train : Train a net without a stage.
        """
        train(self.net, self.rows, self.neighbors)


@dataclass
class StageRun:
    """Result of :func:`run_stages`.

    Attributes
    ----------
    stages : list of Stage
        Trained stages, at least one. The last may have been interrupted.
    interrupted : bool
        Whether Ctrl-C stopped the run.

    See Also
    --------
    run_stages : Run the stages.
    """

    stages: list[Stage]
    interrupted: bool

    @property
    def net(self) -> TermNet:
        """The net of the last stage."""
        return self.stages[-1].net

    @property
    def history(self) -> pd.DataFrame:
        """Concatenated histories of all stages, with a column "stage"."""
        frames = [history_frame(s.net).assign(stage=s.name) for s in self.stages]
        full = [frame for frame in frames if len(frame)] or frames[:1]
        return pd.concat(full, ignore_index=True).rename_axis("epoch")


def run_stages(stages: Iterator[Stage]) -> StageRun:
    """Run stages in sequence; Ctrl-C ends the present stage and the run.

    Parameters
    ----------
    stages : iterator of Stage
        Stages to run. Each is requested after the previous one has been trained, so the
        iterator can also do the work between stages.

    Returns
    -------
    StageRun
        The trained stages.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C is pressed before the first stage starts; then there is no result.

    See Also
    --------
    Stage : A net and its training rows.
    """
    with one_long_fit():
        return _run(stages)


def _run(stages: Iterator[Stage]) -> StageRun:
    """Run stages in sequence."""
    done: list[Stage] = []
    while True:
        try:
            stage = next(stages, None)
        except KeyboardInterrupt:
            if not done:
                raise
            return StageRun(done, interrupted=True)
        if stage is None:
            if not done:
                raise ValueError("There are no stages to run: yield at least one.")
            return StageRun(done, interrupted=False)
        try:
            stage.run()
        except KeyboardInterrupt:  # the stage undid what it had done
            if not done:
                raise
            return StageRun(done, interrupted=True)
        done.append(stage)
        if stage.net.interrupted_:
            return StageRun(done, interrupted=True)
