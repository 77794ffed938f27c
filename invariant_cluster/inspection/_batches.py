"""Whether clusters follow the batch that images come from."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

_N_PERMUTATIONS = 199
_NOTABLE = 0.1


class BatchCheck(NamedTuple):
    """How far clusters follow batches.

    Attributes
    ----------
    shares : DataFrame of shape (n_batches, n_clusters)
        Share of each batch, a row, that is in each cluster, a column. Rows sum to 1.
    mutual_information : float
        Adjusted mutual information of clusters and batches: about 0 if they have
        nothing to do with each other, 1 if one tells the other.
    by_chance : float
        The largest adjusted mutual information of 199 random permutations of the
        batches.
    p_value : float
        Share of the permutations, the batches as they are among them, that reach
        ``mutual_information``; at least 0.005.
    """

    shares: pd.DataFrame
    mutual_information: float
    by_chance: float
    p_value: float

    @property
    def follows(self) -> bool:
        """Whether clusters follow batches: by more than 0.1, and than by chance."""
        return self.mutual_information > max(_NOTABLE, self.by_chance)


def check_batches(
    labels: ArrayLike, batch: ArrayLike, *, random_state: Any = None
) -> BatchCheck:
    """Check, without classes, whether clusters follow the batch of the images.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Cluster of each image.
    batch : array-like of shape (n,)
        Batch of each image, such as a microscope, a plate, a day or a night: numbers or
        strings.
    random_state : int, RandomState or None, default=None
        Seed of the permutations.

    Returns
    -------
    BatchCheck
        The share of each batch in each cluster, and the adjusted mutual information of
        clusters and batches with what chance gives.

    Raises
    ------
    ValueError
        If ``labels`` and ``batch`` differ in length, are empty or not 1-D, or if
        ``batch`` has missing values or a single value.

    Warns
    -----
    UserWarning
        If the adjusted mutual information is above 0.1 and above that of 199
        permutations.

    See Also
    --------
    invariant_cluster.metrics.label_agreement_score : Compare two clusterings.

    Notes
    -----
    The permutations tell whether clusters and batches are independent. With thousands
    of images they also find what harms nobody: a kind that is a little more frequent in
    one batch. So the effect must be notable, too. If two batches of equal size shared
    two clusters 69 to 31 and 31 to 69, the mutual information would be 0.1.

    A warning is no proof of an artefact: batches may truly hold other kinds. Compare
    images of one cluster and different batches by eye.

    References
    ----------
    N. X. Vinh, J. Epps and J. Bailey, "Information theoretic measures for clusterings
    comparison: variants, properties, normalization and correction for chance", JMLR
    11, 2010.

    Examples
    --------
    >>> from invariant_cluster.inspection import check_batches
    >>> clusters = [0, 1, 2, 0, 1, 2] * 10
    >>> night = ["first", "first", "first", "second", "second", "second"] * 10
    >>> found = check_batches(clusters, night, random_state=0)
    >>> found.follows
    False
    >>> found.shares.round(2)
    cluster     0     1     2
    batch
    first    0.33  0.33  0.33
    second   0.33  0.33  0.33
    """
    clusters, batches = _checked(labels, batch)
    shares = pd.crosstab(batches, clusters, normalize="index")
    batches, clusters = pd.factorize(batches)[0], pd.factorize(clusters)[0]
    random = check_random_state(random_state)
    # Permutations leave the sizes and so the adjustment as they are.
    shared = mutual_info_score(batches, clusters)
    permuted = [random.permutation(batches) for _ in range(_N_PERMUTATIONS)]
    chance = [mutual_info_score(other, clusters) for other in permuted]
    n_reaching = int(np.count_nonzero(np.asarray(chance) >= shared))
    check = BatchCheck(
        shares,
        float(adjusted_mutual_info_score(batches, clusters)),
        float(adjusted_mutual_info_score(permuted[np.argmax(chance)], clusters)),
        (1 + n_reaching) / (1 + _N_PERMUTATIONS),
    )
    if check.follows:
        _warn(check)
    return check


def _checked(labels: ArrayLike, batch: ArrayLike) -> tuple[Any, Any]:
    """Return clusters and batches as vectors; raise if they do not fit."""
    clusters, batches = column_or_1d(labels), column_or_1d(batch)
    check_consistent_length(clusters, batches)
    if pd.isna(batches).any():
        raise ValueError(
            f"batch has {int(pd.isna(batches).sum())} missing value(s), first in row "
            f"{int(pd.isna(batches).argmax())}: name the batch of each image, or leave "
            "out such images."
        )
    n_batches = len(pd.unique(batches))
    if n_batches < 2:
        raise ValueError(
            f"batch has {n_batches} different value(s): give the batches of images "
            "from at least two."
        )
    return pd.Series(clusters, name="cluster"), pd.Series(batches, name="batch")


def _warn(check: BatchCheck) -> None:
    shares = check.shares.to_numpy()
    row, column = divmod(int(shares.argmax()), shares.shape[1])
    batch, cluster = check.shares.index[row], check.shares.columns[column]
    warnings.warn(
        f"The clusters follow the batches: adjusted mutual information "
        f"{check.mutual_information:.2f}, by chance at most {check.by_chance:.2f}; "
        f"{shares.max():.0%} of batch {batch!s} is in cluster {cluster!s}. Unless "
        "the batches hold other kinds of objects, make the images alike: add "
        "'brightness' or 'color' to invariance, or normalize each batch.",
        UserWarning,
        stacklevel=3,
    )
