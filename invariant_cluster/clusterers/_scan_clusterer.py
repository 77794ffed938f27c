"""SCAN as a scikit-learn clusterer."""

from __future__ import annotations

import copy
import math
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted
from torch import nn

from invariant_cluster.clusterers._centroids import Start, find_start
from invariant_cluster.clusterers._scan_stages import (
    best_head,
    encode,
    infer_heads,
    scan_loss,
    train_guarded,
)
from invariant_cluster.images import ImageEmbedding, check_rows
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.modules import ClusterHeads, ImageEncoder, ScanModule
from invariant_cluster.neighbors import find_neighbors, mine_neighbors, score_nearness
from invariant_cluster.persistence import (
    Part,
    SavableMixin,
    dump_clusterer,
    restore_clusterer,
)
from invariant_cluster.runtime import (
    PRECISIONS,
    draw_seed,
    resolve_device,
    resolve_precision,
    seeded,
)
from invariant_cluster.training import (
    HeadsNet,
    ScanNet,
    ScanObjective,
    SelfLabelNet,
    SelfLabelObjective,
    TermNet,
    TrainingProgress,
    check_callbacks,
    history_frame,
    make_net,
    train,
)
from invariant_cluster.validation import Interval, Options, StrOptions
from invariant_cluster.views import AUGMENTATIONS, Augmentation


class ScanInput(NamedTuple):
    """What SCAN trains on.

    Attributes
    ----------
    z : ndarray of shape (n, d)
    rows : ndarray of shape (n, d) or (n, c, h, w)
        z, or the images if the encoder is to be fine-tuned.
    encoder : ImageEncoder or None
        A copy of the embedder's, if it is to be fine-tuned.
    """

    z: NDArray[np.float32]
    rows: NDArray
    encoder: ImageEncoder | None


class SCANClusterer(
    SavableMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Clusters in which an image and its nearest neighbours agree (SCAN).

    SCAN (Van Gansbeke et al., ECCV 2020) mines the nearest neighbours of each z and
    trains linear cluster heads so that neighbours get the same cluster while the
    clusters stay in use (entropy term). Behind an embedder it then fine-tunes a copy of
    the encoder on augmented images, as the IRL-INR paper does; on plain rows it trains
    the heads alone.

    Parameters
    ----------
    n_clusters : int, default=10
    n_neighbors : int, default=20
        Neighbours mined for each row, by cosine after subtracting the mean.
    n_heads : int, default=1
        Heads trained side by side, each from other centroids; the one with the lowest
        SCAN loss on the training data is kept.
    entropy_weight : float, default=5.0
        Weight of the entropy of the mean assignment, which keeps the clusters in use.
    entropy_target : {"k-means", "uniform"}, default="k-means"
        Up to where that entropy is rewarded. "uniform" is SCAN's: clusters of equal
        size, which suits classes of equal size. "k-means" lets the sizes be as unequal
        as those of the k-means clusters of z from which the heads start.
    fine_tune : "auto" or bool, default="auto"
        Whether a copy of the encoder is trained too. "auto" does when ``fit`` is given
        an ``ImageEmbedding``, as a Pipeline hands on, and warns if it is not.
    augmentation : str, default="S1+R+T"
        Of the images in fine-tuning, from the paper (Table 7): turns R, shifts T, crops
        with colour jitter and blur S1, RandAugment with cut-outs S2. "R", "R+T", "S1",
        "S1+R", "S1+R+T", "S1+S2", "S1+S2+R" or "S1+S2+R+T"; also "R+D" or "R+T+D" with
        the embedder's deformation. Without effect on plain rows.
    max_epochs : int, default=50
        Of fine-tuning; without effect on plain rows.
    head_max_epochs : int, default=100
        Of the heads alone on z.
    heads_first : bool, default=True
        Whether to train the heads alone before fine-tuning, which else starts from
        k-means. It takes seconds.
    n_rounds : int, default=1
        Of mining neighbours and fine-tuning. Each after the first takes as long as the
        first, and its neighbours from the encoder tuned before. Without effect where
        heads alone are trained.
    batch_size : int, default=128
    lr : float, default=1e-3
        Of the encoder in fine-tuning, at its highest (one cycle).
    head_lr : float, default=0.03
        Of the heads, at its highest.
    weight_decay : float, default=1e-4
    self_label : bool, default=False
        Whether to train on confident labels afterwards (SCAN's third step). If that
        empties a cluster, the result before it is kept, with a warning. Without effect
        on plain rows.
    confidence_threshold : float, default=0.99
    self_label_max_epochs : int, default=20
    self_label_lr : float, default=1e-5
    device : str, default="auto"
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in fine-tuning. "auto" selects bfloat16 on NVIDIA
        GPUs and x86 CPUs that have instructions for it, else float32.
    callbacks : list of skorch callbacks, optional
    random_state : int, RandomState or None, default=None
    verbose : int, default=0
        1 shows a progress bar with the time left, 2 a line of losses an epoch too.

    Attributes
    ----------
    labels_ : ndarray of shape (n,), int64
    probabilities_ : ndarray of shape (n, n_clusters), float32
    neighbors_ : ndarray of shape (n, n_neighbors), int64
        Row indices, nearest first, by z of the embedder; in later rounds, of the
        encoder tuned before.
    training_embedding_ : ndarray of shape (n, d), float32
        z of the embedder, also after fine-tuning.
    fine_tuned_ : bool
    encoder_ : nn.Module or None
        The fine-tuned copy.
    net_ : skorch.NeuralNet
    history_ : DataFrame
        One row an epoch: stage ("heads", "fine-tuning", in the second round
        "fine-tuning 2", or "self-labelling"), loss and its terms, seconds.
    n_iter_ : int
        Epochs trained, in all stages, those of a self-labelling undone included.
    n_features_in_ : int

    References
    ----------
    W. Van Gansbeke, S. Vandenhende, S. Georgoulis, M. Proesmans, L. Van Gool, "SCAN:
    Learning to Classify Images without Labels", ECCV 2020.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster import SCANClusterer
    >>> z, _ = make_blobs(100, n_features=8, centers=3, random_state=0)
    >>> clusterer = SCANClusterer(3, fine_tune=False, random_state=0)
    >>> sorted(set(clusterer.fit_predict(z).tolist()))
    [0, 1, 2]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "entropy_target": [StrOptions({"k-means", "uniform"})],
        "fine_tune": [StrOptions({"auto"}), "boolean"],
        "augmentation": [StrOptions(set(AUGMENTATIONS))],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "head_max_epochs": [Interval(Integral, 1, None, closed="left")],
        "heads_first": ["boolean"],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "head_lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "self_label": ["boolean"],
        "confidence_threshold": [Interval(Real, 0, 1, closed="neither")],
        "self_label_max_epochs": [Interval(Integral, 1, None, closed="left")],
        "self_label_lr": [Interval(Real, 0, None, closed="neither")],
        "device": [str, Options(object, set()), torch.device],
        "precision": [StrOptions(set(PRECISIONS))],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_clusters: int = 10,
        *,
        n_neighbors: int = 20,
        n_heads: int = 1,
        entropy_weight: float = 5.0,
        entropy_target: str = "k-means",
        fine_tune: str | bool = "auto",
        augmentation: str = "S1+R+T",
        max_epochs: int = 50,
        head_max_epochs: int = 100,
        heads_first: bool = True,
        n_rounds: int = 1,
        batch_size: int = 128,
        lr: float = 1e-3,
        head_lr: float = 0.03,
        weight_decay: float = 1e-4,
        self_label: bool = False,
        confidence_threshold: float = 0.99,
        self_label_max_epochs: int = 20,
        self_label_lr: float = 1e-5,
        device: str = "auto",
        precision: str = "auto",
        callbacks: list[Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.n_heads = n_heads
        self.entropy_weight = entropy_weight
        self.entropy_target = entropy_target
        self.fine_tune = fine_tune
        self.augmentation = augmentation
        self.max_epochs = max_epochs
        self.head_max_epochs = head_max_epochs
        self.heads_first = heads_first
        self.n_rounds = n_rounds
        self.batch_size = batch_size
        self.lr = lr
        self.head_lr = head_lr
        self.weight_decay = weight_decay
        self.self_label = self_label
        self.confidence_threshold = confidence_threshold
        self.self_label_max_epochs = self_label_max_epochs
        self.self_label_lr = self_label_lr
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None) -> SCANClusterer:
        """Cluster an embedding.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            What an embedder's ``transform`` returns, or any rows.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Bad rows or parameters; ``fine_tune=True`` on plain rows.
        FloatingPointError
            When the loss becomes NaN or infinite.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes were set to the state reached.
        """
        self._validate_params()
        check_callbacks(self.callbacks)
        resolve_device(self.device)
        data = self._check_training(X)
        self._forget()
        with seeded(draw_seed(self.random_state)):
            stages = self._train_stages(data)
        self._store(data, stages)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable cluster of each row, shape (n,).

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned.
        """
        return self._log_probabilities(X).argmax(axis=1)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each cluster, shape (n, n_clusters).

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
        """
        return np.exp(self._log_probabilities(X))

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return log-probabilities of the clusters, shape (n, n_clusters).

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
        """
        return self._log_probabilities(X)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return how good the clusters of X are, higher is better.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
        y : array-like of shape (n,), optional
            Classes. With them the score is the Hungarian-matched accuracy; without, the
            negative SCAN loss, with neighbours among the training rows by z of the
            embedder and the entropy up to this fit's target: other fits' scores compare
            only with "uniform".
        """
        log_p = self._log_probabilities(X)
        if y is not None:
            return clustering_accuracy_score(y, log_p.argmax(axis=1))
        nearest = find_neighbors(
            np.asarray(X), self.training_embedding_, self.n_neighbors
        )
        return -scan_loss(self._objective, log_p, self.probabilities_, nearest)

    def score_samples(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return how normal each row is; the lower, the more abnormal.

        Minus the mean distance in z to the ``n_neighbors`` nearest training rows, as in
        deep nearest neighbours (Sun et al., ICML 2022). z is the embedder's, also where
        a copy of the encoder was fine-tuned. A row that equals a training row is taken
        for it and is not its own neighbour, so that scores of training rows compare
        with each other.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n,), float32
            At most 0, in the unit of z: scores of other embedders do not compare.
            Which are too low is yours to say; the lowest percent of the training rows'
            own, ``np.quantile(score_samples(X_train), 0.01)``, is a start.
        """
        check_is_fitted(self, "labels_")
        z = check_rows(self, X, reset=False)
        return score_nearness(z, self.training_embedding_, self.neighbors_.shape[1])

    @property
    def encoder_(self) -> ImageEncoder | None:
        """The fine-tuned copy of the encoder, part of ``net_``; None on plain rows."""
        return self.net_.module_.encoder if self.fine_tuned_ else None

    @property
    def _n_features_out(self) -> int:
        return self.n_clusters

    def __sklearn_tags__(self) -> Any:
        """The output is float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _check_training(self, X: ArrayLike) -> ScanInput:
        z = check_rows(self, X, reset=True, min_samples=2)
        if self.n_clusters > len(z):
            raise ValueError(
                f"n_clusters={self.n_clusters} but n_samples={len(z)}: lower "
                "n_clusters or give more rows."
            )
        if not self.fine_tune:
            return ScanInput(z, z, None)
        if not (
            isinstance(X, ImageEmbedding)
            and isinstance(X.encoder, ImageEncoder)
            and X.images is not None
        ):
            self._refuse_rows()
            return ScanInput(z, z, None)
        encoder = copy.deepcopy(X.encoder)
        encoder.train_dtype = resolve_precision(self.precision, self.device)
        return ScanInput(z, encoder.aligner.layout.to_channels(X.images), encoder)

    def _refuse_rows(self) -> None:
        """Raise or warn: plain rows hold no images to fine-tune on."""
        told = (
            f"fine_tune={self.fine_tune!r} but X is a plain array, without images and "
            "encoder: pass what the transform of an embedder with a network returns "
            "(no scaler, slice or pandas output in between), or set fine_tune=False to "
            "train heads alone."
        )
        if self.fine_tune != "auto":
            raise ValueError(told)
        warnings.warn(told, UserWarning, stacklevel=4)

    def _train_stages(self, data: ScanInput) -> dict[str, TermNet]:
        """Train heads, fine-tune, keep the best head, self-label; return the nets."""
        self.neighbors_ = mine_neighbors(data.z, self.n_neighbors)
        seed = torch.initial_seed() % 2**31
        start = find_start(data.z, self.n_clusters, self.n_heads, seed=seed)
        uniform = self.entropy_target == "uniform"
        self._objective = ScanObjective(
            self.entropy_weight, math.inf if uniform else start.entropy
        )
        module = ScanModule(nn.Identity(), _make_heads(start))
        nets: dict[str, TermNet] = {}
        if data.encoder is None or self.heads_first:
            nets["heads"] = self._make_heads_net(module, len(data.z))
            train(nets["heads"], data.z, self.neighbors_)
        if data.encoder is not None and not _is_interrupted(nets):
            module = ScanModule(data.encoder, module.heads)
            nets |= self._fine_tune(module, data.encoder, data.rows)
        if self.n_heads > 1:
            heads = infer_heads(module, _rows_of(data, nets), self.device)
            module.heads.keep(best_head(self._objective, heads, self.neighbors_))
        if self.self_label and "fine-tuning" in nets and not _is_interrupted(nets):
            nets["self-labelling"] = self._make_self_label_net(module)
            train_guarded(nets["self-labelling"], data.rows, self.device)
        return nets

    def _fine_tune(
        self, module: ScanModule, encoder: ImageEncoder, images: NDArray
    ) -> dict[str, TermNet]:
        """Train encoder and heads in rounds; return the net of each, by its stage."""
        nets: dict[str, TermNet] = {}
        for number in range(1, self.n_rounds + 1):
            stage = "fine-tuning" if number == 1 else f"fine-tuning {number}"
            net = self._make_scan_net(module, len(images), stage)
            nets[stage] = net
            train(net, images, self.neighbors_)
            if number < self.n_rounds and not net.interrupted_:
                self._mine_anew(encoder, images, net)
            if net.interrupted_:
                break
        return nets

    def _mine_anew(self, encoder: ImageEncoder, images: NDArray, net: TermNet) -> None:
        """Mine neighbours of an encoder's z; a Ctrl-C is noted on the net before."""
        try:
            z = encode(encoder, images, self.device)
            self.neighbors_ = mine_neighbors(z, self.n_neighbors)
        except KeyboardInterrupt:
            net.interrupted_ = True

    def _make_heads_net(self, module: ScanModule, n_rows: int) -> TermNet:
        return self._make_net(
            HeadsNet,
            module,
            self._sampled_objective(n_rows),
            stage="heads",
            lr=self.head_lr,
            lr_name="head_lr",
            max_epochs=self.head_max_epochs,
            terms=("consistency", "entropy"),
        )

    def _make_scan_net(self, module: ScanModule, n_rows: int, stage: str) -> TermNet:
        return self._make_net(
            ScanNet,
            module,
            self._sampled_objective(n_rows),
            stage=stage,
            lr=self.lr,
            lr_name="lr or head_lr",
            max_epochs=self.max_epochs,
            terms=("consistency", "entropy"),
            augmentation=Augmentation(self.augmentation),
            optimizer__param_groups=[("heads.*", {"lr": self.head_lr})],
        )

    def _sampled_objective(self, n_rows: int) -> ScanObjective:
        """Return the objective as it is on batches of n_rows rows."""
        # What the entropy of a sample falls short of that of the whole (Miller, 1955).
        shortfall = (self.n_clusters - 1) / (2 * min(self.batch_size, n_rows))
        target = max(0.0, self._objective.entropy_target - shortfall)
        return ScanObjective(self.entropy_weight, target)

    def _make_self_label_net(self, module: ScanModule) -> TermNet:
        return self._make_net(
            SelfLabelNet,
            module,
            SelfLabelObjective(self.confidence_threshold),
            stage="self-labelling",
            lr=self.self_label_lr,
            lr_name="self_label_lr",
            max_epochs=self.self_label_max_epochs,
            terms=("confident",),
            augmentation=Augmentation(self.augmentation),
        )

    def _make_net(
        self,
        net_class: type[TermNet],
        module: ScanModule,
        objective: nn.Module,
        *,
        stage: str,
        **settings: Any,
    ) -> TermNet:
        return make_net(
            net_class,
            module,
            objective,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            device=resolve_device(self.device),
            callbacks=[TrainingProgress(stage, self.verbose), *(self.callbacks or [])],
            **settings,
        )

    def _forget(self) -> None:
        """Be unfitted while training: a failure must not leave old beside new."""
        if hasattr(self, "labels_"):
            del self.labels_

    def _store(self, data: ScanInput, nets: dict[str, TermNet]) -> None:
        """Set the fitted attributes; then pass on an interrupt."""
        self.net_ = list(nets.values())[-1]
        self.fine_tuned_ = "fine-tuning" in nets
        self.training_embedding_ = data.z
        self.history_ = _join_histories(nets)
        self.n_iter_ = len(self.history_)
        heads = infer_heads(self.net_.module_, _rows_of(data, nets), self.device)
        self.probabilities_ = np.exp(heads[:, 0])
        self.labels_ = self.probabilities_.argmax(axis=1)
        if _is_interrupted(nets):
            raise KeyboardInterrupt

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the clusterer; all of it is needed."""
        check_is_fitted(self, "labels_")
        return dump_clusterer(self)

    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes from a part of a model file."""
        restore_clusterer(self, part, encoder)

    def _log_probabilities(self, X: ArrayLike) -> NDArray[np.float32]:
        check_is_fitted(self, "labels_")
        z = check_rows(self, X, reset=False)
        rows = self._images_of(X) if self.fine_tuned_ else z
        return infer_heads(self.net_.module_, rows, self.device)[:, 0]

    def _images_of(self, X: ArrayLike) -> NDArray:
        """Return the images (n, c, h, w) that the fine-tuned encoder needs."""
        images = X.images if isinstance(X, ImageEmbedding) else None
        if images is None:
            raise ValueError(
                "This SCANClusterer fine-tuned its encoder and needs images, but X is "
                "a plain array: pass what the embedder's transform returns, or fit "
                "with fine_tune=False."
            )
        assert self.encoder_ is not None
        layout = self.encoder_.aligner.layout
        layout.check_same_shape(images)
        return layout.to_channels(images)


def _make_heads(start: Start) -> ClusterHeads:
    mean, centroids = (torch.from_numpy(a) for a in (start.mean, start.centroids))
    return ClusterHeads(mean, start.scale, centroids)


def _is_interrupted(nets: dict[str, TermNet]) -> bool:
    return any(net.interrupted_ for net in nets.values())


def _rows_of(data: ScanInput, nets: dict[str, TermNet]) -> NDArray:
    """Return what the last of the nets sees."""
    return data.rows if "fine-tuning" in nets else data.z


def _join_histories(nets: dict[str, TermNet]) -> pd.DataFrame:
    """Return the stages' histories below each other, with a column "stage"."""
    frames = [history_frame(net).assign(stage=stage) for stage, net in nets.items()]
    return pd.concat(frames, ignore_index=True).rename_axis("epoch")
