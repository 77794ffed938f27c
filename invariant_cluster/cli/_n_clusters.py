"""The option --n-clusters: a number, or "auto"."""

from __future__ import annotations


def parse_n_clusters(text: str) -> int | str:
    """Return a number of clusters or "auto".

    Parameters
    ----------
    text : str
        Value of the option.

    Returns
    -------
    int or "auto"

    Raises
    ------
    ValueError
        If the text is neither a whole number of at least 1 nor "auto".

    Examples
    --------
    >>> from invariant_cluster.cli._n_clusters import parse_n_clusters
    >>> parse_n_clusters("12"), parse_n_clusters("auto")
    (12, 'auto')
    """
    word = text.strip().lower()
    if word == "auto":
        return word
    if not word.isdecimal() or int(word) < 1:
        raise ValueError(
            f"--n-clusters {text} is neither a whole number of at least 1 nor auto: "
            "give for example -k 10, or -k auto to have the number chosen."
        )
    return int(word)
