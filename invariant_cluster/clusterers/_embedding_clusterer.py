"""What all clusterers of an embedding share: checks, prediction, outliers, files."""

from __future__ import annotations

import copy
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
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

from invariant_cluster.clusterers._calibration import (
    at_temperature,
    find_temperature,
    log_of,
)
from invariant_cluster.clusterers._heads import imitate_heads, infer_heads
from invariant_cluster.clusterers._saved_choice import dump_choice, restore_choice
from invariant_cluster.images import ImageEmbedding, check_rows, check_width
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.model_selection import (
    Choice,
    candidate_numbers,
    choose_n_clusters,
)
from invariant_cluster.modules import ImageEncoder, ScanModule
from invariant_cluster.neighbors import (
    MinedNeighbors,
    find_neighbors,
    mine_with_recall,
    score_nearness,
)
from invariant_cluster.persistence import (
    Part,
    SavableMixin,
    dump_clusterer,
    restore_clusterer,
)
from invariant_cluster.progress import showing_progress, waiting
from invariant_cluster.runtime import (
    PRECISIONS,
    resolve_device,
    resolve_precision,
    seeded,
)
from invariant_cluster.training import (
    Stage,
    StageRun,
    TermNet,
    TrainingProgress,
    check_callbacks,
    check_shares,
    finish,
    from_first,
    join_team,
    make_net,
    run_stages,
    shared_seed,
)
from invariant_cluster.validation import (
    Interval,
    Options,
    StrOptions,
    unchanged_on_error,
)


class ClusteringData(NamedTuple):
    """What a clusterer trains on.

    Attributes
    ----------
    z : ndarray of shape (n, d), float32
    images : ndarray of shape (n, c, h, w) or None
        Present if the encoder is to be fine-tuned.
    encoder : ImageEncoder or None
        A copy of the embedder's, present with the images.
    columns : slice
        Columns of z that the encoder computes; the others are of other spaces.
    """

    z: NDArray[np.float32]
    images: NDArray | None = None
    encoder: ImageEncoder | None = None
    columns: slice = slice(None)

    @property
    def is_joint(self) -> bool:
        """Whether z has other spaces beside that of the encoder."""
        return self.columns != slice(None)

    def rows_for(self, module: ScanModule) -> NDArray:
        """Return what a module takes: images if it has an encoder, else z."""
        if isinstance(module.encoder, ImageEncoder):
            assert self.images is not None
            return self.images
        return self.z


class EmbeddingClusterer(
    SavableMixin,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base class of clusterers that train cluster heads on an embedding, in stages.

    A subclass defines the stages of training. Everything else is provided here: the
    checks of rows and parameters, the neighbours, ``predict``, ``predict_proba``,
    ``transform``, ``score``, ``score_samples``, ``save`` and ``load``. The subclass is
    a scikit-learn clusterer for use with ``clone``, ``Pipeline`` and ``GridSearchCV``.

    Parameters
    ----------
    n_clusters : int or "auto", default=10
        Number of clusters. "auto" chooses it on the rows of ``fit``, by
        :func:`~invariant_cluster.model_selection.choose_n_clusters`.
    n_neighbors : int, default=20
        Number of neighbours that are mined for each row.
    fine_tune : "auto" or bool, default="auto"
        Whether stages receive the images and a copy of the encoder. "auto" provides
        them when ``fit`` receives an ``ImageEmbedding``, and warns on plain rows. True
        raises an error on plain rows.
    batch_size : int, default=128
        Number of rows in a training step.
    weight_decay : float, default=1e-4
        Weight decay of Adam.
    device, precision, callbacks, random_state, verbose
        As in :class:`SCANClusterer`.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters, the chosen one with ``n_clusters="auto"``.
    choice_ : Choice or None
        With ``n_clusters="auto"`` the chosen number, the range that is as good, the
        reason and the table; else None.
    labels_ : ndarray of shape (n,), int64
        Cluster of each training row.
    probabilities_ : ndarray of shape (n, n_clusters), float32
        Probability of each cluster for each training row, as ``predict_proba``.
    neighbors_ : ndarray of shape (n, n_neighbors), int64
        Row indices of the neighbours, nearest first.
    neighbors_recall_ : float
        Share of the nearest rows that ``neighbors_`` holds: 1 up to 200,000 rows, where
        the search is exact.
    temperature_ : float
        By what log-probabilities are divided after training, from 1 to 10: so much
        softer must they be to foretell the clusters of the neighbours mined first
        (temperature scaling, without labels).
    training_embedding_ : ndarray of shape (n, d), float32
        z of the training rows.
    fine_tuned_ : bool
        Whether the last module has an encoder.
    encoder_ : ImageEncoder or None
        The fine-tuned copy of the encoder.
    net_ : skorch.NeuralNet
        The net of the last stage.
    history_ : DataFrame
        One row per epoch: stage, loss and its terms, seconds.
    n_iter_ : int
        Number of epochs trained, in all stages.
    n_features_in_ : int
        Dimension of z.

    See Also
    --------
    SCANClusterer : A clusterer with three kinds of stages.
    ImageEmbedder : Base class of embedders.

    Notes
    -----
    A subclass must define one method:

    ``_stages(data)``
        A generator of ``invariant_cluster.training.Stage``. ``data.z`` (n, d) are the
        rows. ``data.images`` (n, c, h, w) and ``data.encoder`` are those to fine-tune,
        or None; the encoder computes ``data.columns`` of z. ``n_clusters_`` and
        ``neighbors_`` are set already. A stage is asked for when the one before has
        been trained, so code between two ``yield`` statements can use its result.
        ``Stage(name, net, rows, neighbors)`` trains the net on rows, or on pairs of a
        row and one of its neighbours if ``neighbors`` is given.

        The module of each net is a ``ScanModule(encoder, heads)``: ``data.encoder``, or
        ``nn.Identity()`` for rows of z, and ``ClusterHeads``. It maps a batch to
        log-probabilities (n_heads, n, n_clusters). The last module must have one head.
        ``self._with_encoder(module, data)`` returns the module to fine-tune, with heads
        that go on from those trained on z.
        ``self._make_net(TermNet, module, objective, stage=name, lr=..., max_epochs=...,
        terms=...)`` returns its net; the objective is as in :class:`ImageEmbedder`.

    It can define:

    ``__init__``
        Has its own parameters and those of the base that should be adjustable; stores
        the former and passes the latter to ``super().__init__``.
    ``_parameter_constraints``
        A dict that extends that of the base with a list of scikit-learn's constraints
        for each of its own parameters.
    ``_keep_one_head(module, data)``
        Drops all heads of the last module but one, if there are several.
    ``_loss_of(log_p, p, nearest)``
        Returns the loss that ``score`` negates if it is given no classes: of rows with
        log-probabilities ``log_p`` (n, n_clusters), whose neighbours ``nearest`` (n, k)
        are training rows with probabilities ``p``. Without it ``score`` needs classes.
    ``_dump_state()``, ``_restore_state(state)``
        Return, and set, what ``_loss_of`` or another of its own methods needs after
        ``load``: a dict that JSON can hold.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "fine_tune": [StrOptions({"auto"}), "boolean"],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "device": [str, Options(object, set()), torch.device],
        "precision": [StrOptions(set(PRECISIONS))],
        "callbacks": [list, tuple, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_clusters: int | str = 10,
        *,
        n_neighbors: int = 20,
        fine_tune: str | bool = "auto",
        batch_size: int = 128,
        weight_decay: float = 1e-4,
        device: str = "auto",
        precision: str = "auto",
        callbacks: list[Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.fine_tune = fine_tune
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster an embedding.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            What ``transform`` of an embedder returns, or any rows.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Bad rows or parameters, ``fine_tune=True`` on plain rows, or
            ``n_clusters="auto"`` on fewer than 30; an earlier fit stays as it was.
        FloatingPointError
            When the loss becomes NaN or infinite.
        KeyboardInterrupt
            On Ctrl-C, after the fitted attributes were set to the state reached.

        Warns
        -----
        UserWarning
            With ``n_clusters="auto"``, if no number of clusters is better than on data
            without clusters.
        """
        with showing_progress(self.verbose):
            with unchanged_on_error(self):
                data = self._check_training(X)
            self._forget()
            with seeded(shared_seed(self.random_state), self.device):
                self._settle_n_clusters(data.z)
                mined = self._mine(data.z)
                run = run_stages(self._stages(data))
            self._store(data, run, mined.indices)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the most probable cluster of each row.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned.

        Returns
        -------
        ndarray of shape (n,), int64
        """
        return self.predict_log_proba(X).argmax(axis=1)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of each cluster, softened by ``temperature_``.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned.

        Returns
        -------
        ndarray of shape (n, n_clusters), float32
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the logarithm of each cluster's probability, as ``predict_proba``.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned: its images are encoded,
            and its z is not used.

        Returns
        -------
        ndarray of shape (n, n_clusters), float32

        Raises
        ------
        ValueError
            Bad rows; plain rows when the encoder was fine-tuned.
        """
        check_is_fitted(self, "labels_")
        with showing_progress(self.verbose):
            rows = self._images_of(X) if self.fine_tuned_ else self._check_rows(X)
            log_p = infer_heads(self.net_.module_, rows, self.device)[:, 0]
        return at_temperature(log_p, self.temperature_)

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the log-probabilities of the clusters, as ``predict_log_proba``.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned.

        Returns
        -------
        ndarray of shape (n, n_clusters), float32
        """
        return self.predict_log_proba(X)

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return how good the clusters of X are; higher is better.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)
            An ImageEmbedding if the encoder was fine-tuned.
        y : array-like of shape (n,), optional
            Classes.

        Returns
        -------
        float
            With y, the Hungarian-matched accuracy. Without y, the negative loss of the
            probabilities at temperature 1, as in training, with neighbours among the
            training rows by z of the embedder.

        Raises
        ------
        NotImplementedError
            Without y, if a subclass defines no loss.
        """
        log_p = self.predict_log_proba(X)
        if y is not None:
            return clustering_accuracy_score(y, log_p.argmax(axis=1))
        nearest = find_neighbors(
            self._check_rows(X), self.training_embedding_, self.neighbors_.shape[1]
        )
        trained, others = (
            at_temperature(rows, 1 / self.temperature_)
            for rows in (log_p, log_of(self.probabilities_))
        )
        return -self._loss_of(trained, np.exp(others), nearest)

    def score_samples(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return how normal each row is; low scores are abnormal.

        The score is minus the mean distance in z to the ``n_neighbors`` nearest
        training rows, as in deep nearest neighbours (Sun et al., ICML 2022). z is that
        of the embedder, also where a copy of the encoder was fine-tuned. A row that
        equals a training row is taken for that row and is not its own neighbour, so
        that the scores of training rows are comparable with those of new rows.

        Parameters
        ----------
        X : ImageEmbedding or array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n,), float32
            At most 0, in the unit of z. Scores of different embedders are not
            comparable. Choose the threshold yourself, for example the lowest percent of
            the training rows: ``np.quantile(score_samples(X_train), 0.01)``.
        """
        check_is_fitted(self, "labels_")
        z = self._check_rows(X)
        with waiting("nearness", verbose=self.verbose):
            n_neighbors = self.neighbors_.shape[1]
            return score_nearness(z, self.training_embedding_, n_neighbors)

    @property
    def encoder_(self) -> ImageEncoder | None:
        """The fine-tuned copy of the encoder, part of ``net_``; None on plain rows."""
        return self.net_.module_.encoder if self.fine_tuned_ else None

    @property
    def _n_features_out(self) -> int:
        return int(self.probabilities_.shape[1])

    def __sklearn_tags__(self) -> Any:
        """The output is float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @abstractmethod
    def _stages(self, data: ClusteringData) -> Iterator[Stage]:
        """Yield the stages of training; code between them uses their results.

        Parameters
        ----------
        data : ClusteringData
            What to train on.

        Yields
        ------
        Stage
            A net and its rows. The last net's module has one head.
        """

    def _with_encoder(self, module: ScanModule, data: ClusteringData) -> ScanModule:
        """Return the module to fine-tune, after ``module`` was trained on z.

        Its heads are those of ``module``, or in a joint space new ones, which find the
        clusters of those in the encoder's columns alone, as well as they can.
        """
        assert data.encoder is not None
        if not data.is_joint:
            return ScanModule(data.encoder, module.heads)
        p = np.exp(infer_heads(module, data.z, self.device))
        return ScanModule(data.encoder, imitate_heads(data.z[:, data.columns], p))

    def _loss_of(self, log_p: NDArray, p: NDArray, nearest: NDArray) -> float:
        """Return the loss of rows with their neighbours among the training rows."""
        raise NotImplementedError(
            f"y=None, but {type(self).__name__} has no loss to score by: give the "
            "classes, or define _loss_of."
        )

    def _dump_state(self) -> dict[str, Any]:
        """Return what a model file holds beside module and arrays, as JSON."""
        return {}

    def _restore_state(self, state: dict[str, Any]) -> None:
        """Set the attributes that ``_dump_state`` returned."""

    def _dump_choice(self) -> dict[str, Any] | None:
        return dump_choice(self.choice_)

    def _restore_choice(self, spec: dict[str, Any] | None) -> None:
        self.choice_: Choice | None = restore_choice(spec)

    def _keep_one_head(self, module: ScanModule, data: ClusteringData) -> None:
        """Drop all heads of a trained module but the best."""

    def _make_net(
        self,
        net_class: type[TermNet],
        module: ScanModule,
        objective: nn.Module,
        *,
        stage: str,
        **settings: Any,
    ) -> TermNet:
        """Return the untrained net of a stage."""
        return make_net(
            net_class,
            module,
            objective,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            device=resolve_device(self.device),
            callbacks=[self._make_progress(stage), *(self.callbacks or [])],
            **settings,
        )

    def _faster(self) -> str:
        """Return which parameters, set in another way, make a fit take less time."""
        return "fine_tune=False" if self.fine_tune else "a lower max_epochs"

    def _make_progress(self, stage: str) -> TrainingProgress:
        """Return the progress bar of a stage, or its warning."""
        fit = f"{type(self).__name__}.fit ({stage})"
        return TrainingProgress(stage, self.verbose, fit=fit, remedy=self._faster())

    def _check_training(self, X: ArrayLike) -> ClusteringData:
        """Check parameters and rows; return what to train on."""
        self._validate_params()
        check_callbacks(self.callbacks)
        resolve_device(self.device)
        join_team(self.device)
        z = check_rows(self, X, reset=True, min_samples=2)
        if isinstance(self.n_clusters, str):
            candidate_numbers(len(z))  # refuses too few rows
        elif self.n_clusters > len(z):
            raise ValueError(
                f"n_clusters={self.n_clusters} but n_samples={len(z)}: lower "
                "n_clusters or give more rows."
            )
        if self.n_neighbors >= len(z):
            raise ValueError(
                f"n_neighbors={self.n_neighbors!r} must be an integer from 1 to "
                f"{len(z) - 1}, since n_samples={len(z)}: change n_neighbors or give "
                "more rows."
            )
        if not self.fine_tune:
            return ClusteringData(z)
        if not _can_be_tuned(X):
            self._refuse_rows()
            return ClusteringData(z)
        check_shares(self.batch_size, len(z))
        encoder = copy.deepcopy(X.encoder)  # type: ignore[union-attr]
        encoder.train_dtype = resolve_precision(self.precision, self.device)
        layout = encoder.aligner.layout
        layout.check_same_shape(X.images)  # type: ignore[union-attr]
        images = layout.to_channels(X.images)  # type: ignore[union-attr]
        return ClusteringData(z, images, encoder, X.encoded_columns)  # type: ignore[union-attr]

    def _settle_n_clusters(self, z: NDArray) -> None:
        """Set the number of clusters, and why it is that if it was chosen."""
        self.choice_ = None
        if not isinstance(self.n_clusters, str):
            self.n_clusters_ = int(self.n_clusters)
            return
        seed = torch.initial_seed() % 2**31
        self.choice_ = from_first(
            lambda: choose_n_clusters(z, random_state=seed, verbose=self.verbose)
        )
        self.n_clusters_ = self.choice_.n_clusters
        if not self.choice_.found:
            warnings.warn(
                f"n_clusters='auto': {self.choice_.reason} Look at the images of the "
                "clusters before you use them, or give n_clusters.",
                UserWarning,
                stacklevel=3,
            )

    def _mine(self, z: NDArray) -> MinedNeighbors:
        """Set the neighbours and their recall, and return both.

        Approximate search need not find the same ones in another process.
        """
        with waiting("neighbors"):
            mined = from_first(lambda: mine_with_recall(z, self.n_neighbors))
        self.neighbors_, self.neighbors_recall_ = mined
        return mined

    def _refuse_rows(self) -> None:
        """Raise or warn: plain rows hold no images to fine-tune on."""
        message = (
            f"fine_tune={self.fine_tune!r} but X is a plain array, without images and "
            "encoder: pass what the transform of an embedder with a network returns "
            "(no scaler or pandas output in between), or set fine_tune=False to train "
            "heads alone."
        )
        if self.fine_tune != "auto":
            raise ValueError(message)
        warnings.warn(message, UserWarning, stacklevel=4)

    def _forget(self) -> None:
        """Be unfitted while training: a failure must not leave old beside new."""
        if hasattr(self, "labels_"):
            del self.labels_

    def _store(self, data: ClusteringData, run: StageRun, mined: NDArray) -> None:
        """Set the fitted attributes; then pass on an interrupt."""
        module = run.net.module_
        self._keep_one_head(module, data)
        if module.heads.n_heads > 1:
            raise ValueError(
                f"{type(self).__name__}._stages left {module.heads.n_heads} heads: "
                "keep one in _keep_one_head, or train one."
            )
        self.net_ = run.net
        self.fine_tuned_ = isinstance(module.encoder, ImageEncoder)
        self.training_embedding_ = data.z.copy()
        self.history_ = run.history
        self.n_iter_ = len(self.history_)
        (log_p, self.temperature_), pressed = finish(
            lambda: self._infer_calibrated(module, data, mined)
        )
        self.probabilities_ = np.exp(log_p)
        self.labels_ = self.probabilities_.argmax(axis=1)
        if run.interrupted or pressed:
            raise KeyboardInterrupt

    def _infer_calibrated(
        self, module: ScanModule, data: ClusteringData, mined: NDArray
    ) -> tuple[NDArray[np.float32], float]:
        """Return softened log-probabilities of the training rows, and how soft."""
        log_p = infer_heads(module, data.rows_for(module), self.device)[:, 0]
        with waiting("temperature"):
            temperature = find_temperature(log_p, mined)
        return at_temperature(log_p, temperature), temperature

    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a model file holds of the clusterer; all of it is needed."""
        check_is_fitted(self, "labels_")
        return dump_clusterer(self)

    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes from a part of a model file."""
        restore_clusterer(self, part, encoder)

    def _check_rows(self, X: ArrayLike) -> NDArray[np.float32]:
        return check_rows(self, X, reset=False)

    def _images_of(self, X: ArrayLike) -> NDArray:
        """Return the images (n, c, h, w) that the fine-tuned encoder needs."""
        if not isinstance(X, ImageEmbedding) or X.images is None:
            self._check_rows(X)
            raise ValueError(
                f"This {type(self).__name__} fine-tuned its encoder and needs images, "
                "but X is a plain array: pass what the embedder's transform returns, "
                "or fit with fine_tune=False."
            )
        check_width(self, X, reset=False)
        assert self.encoder_ is not None
        layout = self.encoder_.aligner.layout
        layout.check_same_shape(X.images)
        return layout.to_channels(X.images)


def _can_be_tuned(X: ArrayLike) -> bool:
    return (
        isinstance(X, ImageEmbedding)
        and isinstance(X.encoder, ImageEncoder)
        and X.images is not None
    )
