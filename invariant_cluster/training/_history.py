"""The epochs' losses as a table."""

from __future__ import annotations

import pandas as pd

from invariant_cluster.training._term_net import TermNet


def history_frame(net: TermNet) -> pd.DataFrame:
    """Return the epochs' mean loss, loss terms and seconds, one row an epoch."""
    columns = {"train_loss": "loss", **dict.fromkeys(net.terms), "dur": "seconds"}
    rows = [
        {new or name: row[name] for name, new in columns.items()}
        for row in net.history
        if "dur" in row
    ]
    frame = pd.DataFrame(rows, columns=[new or name for name, new in columns.items()])
    return frame.rename_axis("epoch")
