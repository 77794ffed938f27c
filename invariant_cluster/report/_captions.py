"""Names of images, short enough to stand below a thumbnail."""

from __future__ import annotations

_MOST = 22  # characters: two lines below a thumbnail
_END = 12  # of them, what the end of the name keeps


def shorten_middle(name: str) -> str:
    """Return a name with an ellipsis for its middle if it is long.

    Parameters
    ----------
    name : str
        Name of an image, such as its file. Files of one folder often start alike and
        differ near the end, so most of the end is kept.

    Returns
    -------
    str
        At most 22 characters.

    Examples
    --------
    >>> from invariant_cluster.report._captions import shorten_middle
    >>> shorten_middle("wafer_7.png"), shorten_middle("lot_0042/wafer_000017_map.png")
    ('wafer_7.png', 'lot_0042/…0017_map.png')
    """
    if len(name) <= _MOST:
        return name
    return f"{name[: _MOST - _END - 1]}…{name[-_END:]}"
