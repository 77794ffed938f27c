"""Ready pipelines: images in, clusters out."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from invariant_cluster.clusterers import SCANClusterer
from invariant_cluster.embedders import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
)
from invariant_cluster.validation import check_choice

__all__ = ["FEATURES", "KINDS", "Kind", "make_pipeline"]

E = TypeVar("E", ClassAverageEmbedder, PolarFourierEmbedder)

FEATURES = ("auto", "joint", "learned", "scattering", "polar", "averages")
UNTRAINED = ("scattering", "polar", "averages")
# From different starts heads end in different clusters: the loss tells which to keep.
_N_HEADS = 10
# Class averages where the number of clusters is not known: as many as can be chosen.
_MANY_AVERAGES = 20


class Kind(NamedTuple):
    """Parameters that suit one kind of image.

    Attributes
    ----------
    embedder : dict
        Parameters of ``IRLINREmbedder``. ``ScatteringEmbedder`` gets those of them that
        say what an image means: ``invariance`` and ``object``.
    clusterer : dict
        Parameters of ``SCANClusterer``.
    fine_tune : bool or "auto"
        What ``fine_tune="auto"`` means: whether fine-tuning gains.
    features : str
        What ``features="auto"`` means.
    """

    embedder: dict[str, Any]
    clusterer: dict[str, Any]
    fine_tune: bool | str = "auto"
    features: str = "joint"


KINDS: dict[str, Kind] = {
    "general": Kind({}, {}),
    # A wafer map is always centred and its mirror image shows the same pattern. Single
    # dies fail at random. Classes are very unequal: fine-tuning merges some, and lost
    # accuracy on training images.
    "wafers": Kind(
        {
            "invariance": "rotation+reflection",
            "noise": 2.0,
            "temperature": 1.0,
            "consistency_weight": 0.01,
        },
        {"augmentation": "R", "fine_tune_lr": 1e-4},
        fine_tune=False,
    ),
    # Nothing to align, and so nothing that an implicit representation could share.
    "textures": Kind(
        {"invariance": "rotation+reflection"},
        {},
        fine_tune=False,
        features="scattering",
    ),
    # Distance changes size and brightness. Stars lie beside a galaxy. Spirals that are
    # mirror images differ: they turn the other way.
    "galaxies": Kind(
        {
            "invariance": "rotation+translation+scale+brightness",
            "object": "central",
        },
        {},
        features="scattering",
    ),
    # Projections in noise stronger than they are: mass and axis are those of the noise.
    "particles": Kind({}, {}, features="averages"),
}


def make_pipeline(
    n_clusters: int | str,
    *,
    kind: str = "general",
    features: str = "auto",
    network: str = "auto",
    invariance: str | None = None,
    object: str | None = None,
    stretch: str = "auto",
    max_epochs: int | str = "auto",
    fine_tune: bool | str = "auto",
    fine_tune_max_epochs: int | str = "auto",
    n_neighbors: int = 20,
    device: str | torch.device = "auto",
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> Pipeline:
    """Return an unfitted Pipeline of an embedder and ``SCANClusterer``.

    Its steps are called "embed" and "cluster"; ``set_params`` changes any other
    parameter, for example ``embed__learned__d``.

    Parameters
    ----------
    n_clusters : int or "auto"
        Number of clusters. "auto" chooses it on the embedding when the Pipeline is
        fitted, in a minute or two, as
        :func:`~invariant_cluster.model_selection.choose_n_clusters` does:
        ``pipe["cluster"].choice_`` tells why, and which numbers are as good.
    kind : str, default="general"
        What the images show. "wafers" are wafer maps: they turn but do not move, a
        mirror image means the same, and single dies fail at random. "textures" are
        images without an object, such as surfaces of steel. "galaxies" have neighbours
        in the frame, and neither their size nor their brightness means anything.
        "particles" are projections in noise that hides their outline, in some discrete
        views.
    features : {"auto", "joint", "learned", "scattering", "polar", "averages"}
        What is clustered. "learned" is ``IRLINREmbedder``; "scattering" is
        ``ScatteringEmbedder``, without training and without fine-tuning, which takes a
        minute or less. "joint" is a ``JointEmbedder`` of both, as the spaces "learned"
        and "scattering". "polar" is ``PolarFourierEmbedder``, without training and the
        fastest; the "scale" that galaxies ignore by default it cannot ignore.
        "averages" is ``ClassAverageEmbedder`` with an average for each cluster, or with
        20 averages if ``n_clusters="auto"``, whose correlations are clustered. "auto",
        the default, is "averages" for particles, "scattering" for textures and
        galaxies, else "joint".
    network : {"auto", "light", "full"}, default="auto"
        Size of the networks: "light" for two CPU cores, "full" for a GPU. "auto" is
        "full" where there is a GPU.
    invariance : str, optional
        Changes of the image that do not change its meaning, as in
        :class:`IRLINREmbedder`. By default those of the kind.
    object : {"all", "central"}, optional
        What of an image is seen, as in :class:`IRLINREmbedder`. By default that of the
        kind.
    stretch : {"auto", "linear", "asinh"}, default="auto"
        How values are stretched, as in :class:`IRLINREmbedder`: "auto" shows floats of
        huge range by an inverse hyperbolic sine. Class averages compare images of any
        brightness, and take no stretch.
    max_epochs : int or "auto", default="auto"
        Epochs of the embedder.
    fine_tune : "auto" or bool, default="auto"
        Whether the clusterer trains a copy of the encoder too. False trains its heads
        alone, which takes seconds, as "auto" does for wafers and for features that are
        not learned. True is refused for these.
    fine_tune_max_epochs : int or "auto", default="auto"
        Epochs of the clusterer's fine-tuning.
    n_neighbors : int, default=20
        Neighbours mined for each image; below the number of images.
    device : str, default="auto"
        A torch device; "auto" is the GPU if there is one. Scattering, in float64, is
        computed on the CPU beside "mps", which has none.
    random_state : int, RandomState or None, default=None
        Seed of both steps.
    verbose : int, default=0
        1 shows progress bars with the time left.

    Returns
    -------
    sklearn.pipeline.Pipeline

    Raises
    ------
    ValueError
        When a parameter is unknown or out of range.

    See Also
    --------
    JointEmbedder : The embedder of two spaces.
    IRLINREmbedder : The learned space, and its other parameters.
    ScatteringEmbedder : The space without training.
    PolarFourierEmbedder : The fastest features.
    ClassAverageEmbedder : Features of noisy particles.
    SCANClusterer : The clusterer, and its other parameters.

    Examples
    --------
    >>> from invariant_cluster import make_pipeline
    >>> pipe = make_pipeline(9, kind="wafers", random_state=0)
    >>> pipe.get_params()["embed__learned__invariance"], pipe["cluster"].augmentation
    ('rotation+reflection', 'R')
    """
    check_choice("kind", kind, KINDS)
    check_choice("features", features, FEATURES)
    settings = KINDS[kind]
    if features == "auto":
        features = settings.features
    if fine_tune == "auto":
        fine_tune = False if features in UNTRAINED else settings.fine_tune
    elif fine_tune is True and features in UNTRAINED:
        raise ValueError(
            f"fine_tune=True but features={features!r} have no network to fine-tune: "
            "use features='joint' or features='learned', or leave out fine_tune."
        )
    common: dict[str, Any] = {"device": device, "random_state": random_state}
    learned = IRLINREmbedder(
        network=network,
        max_epochs=max_epochs,
        **{**settings.embedder, **common, "verbose": verbose},
    )
    given = {"invariance": invariance, "object": object, "stretch": stretch}
    learned.set_params(**{name: v for name, v in given.items() if v is not None})
    clusterer = SCANClusterer(
        n_clusters,
        n_heads=_N_HEADS,
        fine_tune=fine_tune,
        fine_tune_max_epochs=fine_tune_max_epochs,
        n_neighbors=n_neighbors,
        **{**settings.clusterer, **common, "verbose": verbose},
    )
    for step in (learned, clusterer):
        step._validate_params()  # now, rather than after the embedder has trained
    if features == "polar" and invariance is None:
        learned.invariance = _without_scale(learned.invariance)
    embedder = _make_embedder(features, learned, n_clusters)
    return Pipeline([("embed", embedder), ("cluster", clusterer)])


def _make_embedder(
    features: str, learned: IRLINREmbedder, n_clusters: int | str
) -> Any:
    """Return the embedder of the features, given that of the learned ones."""
    if features == "learned":
        return learned
    names = ("invariance", "object", "stretch", "random_state")
    shared: dict[str, Any] = {name: getattr(learned, name) for name in names}
    shared["device"] = _with_float64(learned.device)
    if features == "averages":
        return _make_averages(n_clusters, **shared)
    if features == "polar":
        return _checked(PolarFourierEmbedder(**shared))
    scattering = ScatteringEmbedder(**shared)
    if features == "scattering":
        return scattering
    return JointEmbedder([("learned", learned), ("scattering", scattering)])


def _make_averages(
    n_clusters: int | str, *, object: str, stretch: str, **shared: Any
) -> ClassAverageEmbedder:
    """Return the embedder with an average for each cluster, or many averages."""
    if stretch == "asinh":
        raise ValueError(
            "stretch='asinh' but features='averages', which compare images of any "
            "brightness: use other features, or leave out stretch."
        )
    if object != "all":
        raise ValueError(
            f"object={object!r} but features='averages', which see all of an image: "
            "use other features, or object='all'."
        )
    n_averages = _MANY_AVERAGES if isinstance(n_clusters, str) else n_clusters
    return _checked(ClassAverageEmbedder(n_averages, **shared))


def _checked(embedder: E) -> E:
    """Return an embedder whose parameters are in range."""
    embedder._validate_params()
    return embedder


def _without_scale(invariance: str) -> str:
    """Return the changes that mean nothing, but those of size."""
    return "+".join(word for word in invariance.split("+") if word != "scale")


def _with_float64(device: str | torch.device) -> str | torch.device:
    """Return the device, or the CPU instead of one without float64."""
    return "cpu" if str(device).split(":")[0] == "mps" else device
