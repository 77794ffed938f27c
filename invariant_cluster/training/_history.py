"""The losses of all epochs as a table."""

from __future__ import annotations

import pandas as pd

from invariant_cluster.training._term_net import TermNet


def history_frame(net: TermNet) -> pd.DataFrame:
    """Return the mean losses and the duration of each completed epoch.

    Parameters
    ----------
    net : TermNet
        Trained net.

    Returns
    -------
    DataFrame
        One row per epoch, with the columns "loss", one per loss term, and "seconds".
        The index is named "epoch" and starts at 0.

    See Also
    --------
    StageRun.history : Concatenate the tables of several nets.
    """
    columns = {"train_loss": "loss", **dict.fromkeys(net.terms), "dur": "seconds"}
    rows = [
        {new or name: row[name] for name, new in columns.items()}
        for row in net.history
        if "dur" in row
    ]
    names = [new or name for name, new in columns.items()]
    # Also without a complete epoch the columns hold numbers.
    return pd.DataFrame(rows, columns=names, dtype=float).rename_axis("epoch")
