"""Whether the clusters of a fitted pipeline can be relied on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.verdict._evidence import Evidence, gather
from invariant_cluster.verdict._finding import LEVELS, Finding, Verdict
from invariant_cluster.verdict._nuisances import check_nuisances, check_origin
from invariant_cluster.verdict._of_clusters import (
    check_choice,
    check_empty,
    check_giant,
    check_noise,
    check_separation,
    check_stability,
)
from invariant_cluster.verdict._of_images import (
    check_blank,
    check_number,
    check_range,
)
from invariant_cluster.verdict._of_spaces import (
    check_collapse,
    check_learned,
    check_poses,
    check_steps,
)

# Those that explain others come first among equals.
_CHECKS = (
    check_blank,
    check_range,
    check_number,
    check_steps,
    check_collapse,
    check_poses,
    check_learned,
    check_stability,
    check_noise,
    check_giant,
    check_empty,
    check_choice,
    check_nuisances,
    check_separation,
)


def check_fit(
    pipeline: Pipeline,
    X: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    batch: ArrayLike | None = None,
) -> Verdict:
    """Check, without labels, whether the clusters of a fitted pipeline mean something.

    Parameters
    ----------
    pipeline : fitted Pipeline
        An embedder of this package, followed by a clusterer as the last step. Nothing
        is trained, save for one comparison: see Notes.
    X : array-like of n images
        Images on which the pipeline was fitted, or others like them.
    names : sequence of n str, optional
        File of each image. If the files lie in several folders, or have dates in their
        names, clusters are compared with these.
    batch : array-like of shape (n,), optional
        Batch of each image, such as a day or a microscope, to compare clusters with.

    Returns
    -------
    Verdict
        ``level`` ("good", "doubtful" or "bad"), ``troubles`` with their likely cause
        and remedy, and the ``table`` of all checks; ``print`` shows it.

    Raises
    ------
    TypeError
        If ``pipeline`` is not a Pipeline.
    NotFittedError
        If it is not fitted.
    ValueError
        If no step is an embedder of this package, there is one step only, the last one
        clusters nothing, X does not fit, or the lengths of X, ``names`` and ``batch``
        differ.

    See Also
    --------
    check_drift : Compare new images with those of training.
    cluster_report : Show the verdict with images of the clusters.
    invariant_cluster.inspection.check_batches : Compare clusters with batches alone.

    Notes
    -----
    At most 1,000 images are looked at, drawn with a fixed seed, and a copy of each
    turned by a random angle. The checks are: blank images; contrast in units of the
    intensity range; images for each cluster; steps of training; dimensions that z uses;
    poses that turn with the image; neighbours in learned features that survive a turn,
    compared with those of features without training (of a pipeline without such,
    ``ScatteringEmbedder`` is fitted on 500 images); clusters that survive a turn;
    images that the clusterer leaves out as noise; the largest cluster; empty clusters;
    clusters that one simple aspect of the images tells, such as their brightness; and
    neighbours in z that share a cluster. The limits, but that of noise, come from fits
    of eight data sets (``python -m benchmarks.verdicts``).

    A good verdict is no proof: clusters can be stable and mean nothing to you.

    Examples
    --------
    >>> from invariant_cluster import check_fit, make_pipeline
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> images = load_oriented_digits().images[:400]
    >>> pipe = make_pipeline(10, features="scattering", random_state=0)
    >>> verdict = check_fit(pipe.fit(images), images)
    >>> print(verdict)
    Verdict: good. Nothing found that speaks against these clusters.
    """
    _check_arguments(pipeline, X, names, batch)
    evidence = gather(pipeline, X)
    findings = [*_run(evidence), *check_origin(evidence, names, batch)]
    return Verdict(
        tuple(sorted(findings, key=lambda found: -LEVELS.index(found.level)))
    )


def _run(evidence: Evidence) -> Iterator[Finding]:
    """Yield what each check found; one that does not apply finds nothing."""
    for check in _CHECKS:
        found = check(evidence)
        if isinstance(found, Finding):
            yield found
        elif found is not None:
            yield from found


def _check_arguments(
    pipeline: object,
    X: ArrayLike,
    names: Sequence[str] | None,
    batch: ArrayLike | None,
) -> None:
    """Raise if the pipeline is none, or lengths differ."""
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"pipeline={pipeline!r} is not a Pipeline: give a fitted Pipeline of an "
            "embedder and a clusterer, such as make_pipeline returns."
        )
    check_is_fitted(pipeline)
    if len(pipeline) < 2:
        raise ValueError(
            f"pipeline={pipeline!r} has one step: add a clusterer, such as "
            "SCANClusterer, behind the embedder."
        )
    for other in (names, batch):
        if other is not None:
            check_consistent_length(X, other)
