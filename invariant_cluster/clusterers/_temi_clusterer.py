"""TEMI as a scikit-learn clusterer."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from invariant_cluster.clusterers._centroids import find_start
from invariant_cluster.clusterers._embedding_clusterer import (
    ClusteringData,
    EmbeddingClusterer,
)
from invariant_cluster.clusterers._heads import infer_heads, make_heads, temi_losses
from invariant_cluster.clusterers._stage_sizes import (
    choose_augmentation,
    count_head_epochs,
    count_tuning_epochs,
)
from invariant_cluster.modules import ScanModule
from invariant_cluster.training import (
    Stage,
    TemiHeadsNet,
    TemiNet,
    TemiObjective,
    TermNet,
)
from invariant_cluster.validation import Interval, StrOptions
from invariant_cluster.views import AUGMENTATIONS

_TERMS = ("information", "agreement")


class TEMIClusterer(EmbeddingClusterer):
    """Clusters that tell most of an image's neighbours, by student and teacher (TEMI).

    TEMI (Adaloglou et al., BMVC 2023) mines the nearest neighbours of each z and trains
    linear cluster heads so that the clusters of neighbours share as much information as
    possible. A teacher, the moving average of the heads, provides the targets, and
    pairs count the more, the more probably its heads, on average, put them in one
    cluster. If asked to, the clusterer then fine-tunes a copy of the encoder in the
    same way, on augmented images.

    Parameters
    ----------
    n_clusters : int or "auto", default=10
        Number of clusters. "auto" chooses it on z before the heads are trained, by
        :func:`~invariant_cluster.model_selection.choose_n_clusters`: up to a minute or
        two. ``choice_`` tells why, and which numbers are as good.
    n_neighbors : int, default=20
        Neighbours mined for each row, by cosine after subtracting the mean. The paper
        mines 50.
    n_heads : int, default=16
        Heads trained side by side, each from other centroids. The head with the lowest
        TEMI loss on the training data is kept.
    beta : float, default=0.9
        Power of the probabilities in the objective, above 0.5 and at most 1. The lower,
        the more equal the sizes of the clusters. The paper takes 0.6, for classes of
        equal size.
    teacher_momentum : float, default=0.996
        Share of the teacher's weights that stays in each step. 0 makes the student its
        own teacher.
    max_epochs : int or "auto", default="auto"
        Epochs of the heads alone on z. "auto" is as many as make about 10,000 steps,
        from 20 to 100. Above 320,000 rows the least number is what sees 6.4 million
        rows, for example 6 epochs of a million.
    lr : float, default=0.003
        Peak learning rate of the cluster heads, alone and in fine-tuning.
    batch_size : int, default=128
        Rows in a training step, each with one of its neighbours.
    weight_decay : float, default=1e-4
        Weight decay of Adam in every stage.
    fine_tune : "auto" or bool, default=False
        Whether a copy of the encoder is trained after the heads. Its layers next to the
        image, of the built-in trunks the stem, keep their weights. "auto" trains it
        when ``fit`` receives an ``ImageEmbedding``, as from the step before in a
        Pipeline, and warns on plain rows. True raises an error on plain rows. All
        parameters below up to ``fine_tune_lr`` are ignored without fine-tuning. On
        digits fine-tuning gains far less than that of :class:`SCANClusterer`.
    augmentation : str, default="auto"
        Augmentation of the images that the student sees in fine-tuning, named as in
        :class:`SCANClusterer`. The teacher sees the images as they are.
    fine_tune_max_epochs : int or "auto", default="auto"
        Epochs of fine-tuning. "auto" is 50 on a GPU, and on a CPU as many as make about
        500 steps, from 2 to 50.
    fine_tune_lr : float, default=1e-3
        Peak learning rate of the encoder in fine-tuning.
    device, precision, callbacks, random_state, verbose
        As in :class:`SCANClusterer`.

    Attributes
    ----------
    n_clusters_ : int
        Number of clusters, the chosen one with ``n_clusters="auto"``.
    choice_ : Choice or None
        With ``n_clusters="auto"`` the chosen number, the range that is as good
        (``low`` to ``high``), the ``reason`` and the ``table``; else None.
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
        z of the embedder, also after fine-tuning.
    fine_tuned_ : bool
        Whether a copy of the encoder was trained.
    encoder_ : nn.Module or None
        The fine-tuned copy of the encoder.
    net_ : skorch.NeuralNet
        The net of the last stage; ``net_.module_`` has encoder and heads.
    history_ : DataFrame
        One row per epoch: stage ("heads" or "fine-tuning"), loss, mean information and
        agreement of pairs, seconds.
    n_iter_ : int
        Epochs trained in all stages.
    n_features_in_ : int
        Dimension of z.

    See Also
    --------
    SCANClusterer : Clusters in which neighbours agree, kept in use by their entropy.

    Notes
    -----
    Nothing in TEMI prescribes the sizes of clusters, as SCAN's entropy does. But rare
    clusters tell more of a pair (the prior in the denominator of the information), so
    that equal sizes are preferred. With ``beta`` below 1 a pair whose probability is
    halved between two clusters loses less than it gains by the rarer clusters: a large
    class is then split at the cost of small ones. On separate blobs, four of 400 rows
    and four of 100, accuracy is 83 % at 0.6 and 99 % from 0.8 on.

    Without classes, ``score`` returns the negative TEMI loss of the head that was kept.
    Scores of different ``beta`` are not comparable.

    This differs from the paper: the heads are linear and start from k-means on z, with
    a sharpness that corresponds to the paper's temperature 0.1; Adam follows a
    one-cycle schedule; the student, not the teacher, predicts. The paper does not
    fine-tune. Joint spaces are used as in :class:`SCANClusterer`.

    References
    ----------
    N. Adaloglou, F. Michels, H. Kalisch, M. Kollmann, "Exploring the Limits of Deep
    Image Clustering using Pretrained Models", BMVC 2023, arXiv:2303.17896.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster import TEMIClusterer
    >>> z, _ = make_blobs(100, n_features=8, centers=3, random_state=0)
    >>> clusterer = TEMIClusterer(3, random_state=0)
    >>> sorted(set(clusterer.fit_predict(z).tolist()))
    [0, 1, 2]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **EmbeddingClusterer._parameter_constraints,
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "beta": [Interval(Real, 0.5, 1, closed="right")],
        "teacher_momentum": [Interval(Real, 0, 1, closed="left")],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "augmentation": [StrOptions({"auto", *AUGMENTATIONS})],
        "fine_tune_max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "fine_tune_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_clusters: int | str = 10,
        *,
        n_neighbors: int = 20,
        n_heads: int = 16,
        beta: float = 0.9,
        teacher_momentum: float = 0.996,
        max_epochs: int | str = "auto",
        lr: float = 0.003,
        batch_size: int = 128,
        weight_decay: float = 1e-4,
        fine_tune: str | bool = False,
        augmentation: str = "auto",
        fine_tune_max_epochs: int | str = "auto",
        fine_tune_lr: float = 1e-3,
        device: str = "auto",
        precision: str = "auto",
        callbacks: list[Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            n_clusters,
            n_neighbors=n_neighbors,
            fine_tune=fine_tune,
            batch_size=batch_size,
            weight_decay=weight_decay,
            device=device,
            precision=precision,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_heads = n_heads
        self.beta = beta
        self.teacher_momentum = teacher_momentum
        self.max_epochs = max_epochs
        self.lr = lr
        self.augmentation = augmentation
        self.fine_tune_max_epochs = fine_tune_max_epochs
        self.fine_tune_lr = fine_tune_lr

    def _stages(self, data: ClusteringData) -> Iterator[Stage]:
        """Yield the heads alone, then fine-tuning."""
        self._fitted_beta = float(self.beta)
        seed = torch.initial_seed() % 2**31
        start = find_start(data.z, self.n_clusters_, self.n_heads, seed=seed, n_init=1)
        module = ScanModule(nn.Identity(), make_heads(start))
        yield self._heads_stage(module, data.z)
        if data.encoder is not None and data.images is not None:
            module = self._with_encoder(module, data)
            yield self._tuning_stage(module, data.images)

    def _heads_stage(self, module: ScanModule, z: NDArray) -> Stage:
        net = self._make_teacher_net(
            TemiHeadsNet,
            module,
            stage="heads",
            lr=self.lr,
            max_epochs=count_head_epochs(self.max_epochs, len(z), self.batch_size),
        )
        return Stage("heads", net, z, self.neighbors_)

    def _tuning_stage(self, module: ScanModule, images: NDArray) -> Stage:
        net = self._make_teacher_net(
            TemiNet,
            module,
            stage="fine-tuning",
            lr=self.fine_tune_lr,
            lr_name="fine_tune_lr or lr",
            max_epochs=count_tuning_epochs(
                self.fine_tune_max_epochs, len(images), self.batch_size, self.device
            ),
            augmentation=choose_augmentation(self.augmentation, module.encoder),
            optimizer__param_groups=[("heads.*", {"lr": self.lr})],
        )
        return Stage("fine-tuning", net, images, self.neighbors_)

    def _make_teacher_net(
        self, net_class: type[TermNet], module: ScanModule, **settings: Any
    ) -> TermNet:
        return self._make_net(
            net_class,
            module,
            TemiObjective(self.beta, self.n_heads, self.n_clusters_),
            terms=_TERMS,
            teacher_momentum=self.teacher_momentum,
            **settings,
        )

    def _keep_one_head(self, module: ScanModule, data: ClusteringData) -> None:
        """Keep the head with the lowest TEMI loss on the training data."""
        if module.heads.n_heads > 1:
            log_p = infer_heads(module, data.rows_for(module), self.device)
            losses = temi_losses(
                self._fitted_beta, log_p, np.exp(log_p), self.neighbors_
            )
            module.heads.keep(int(losses.argmin()))

    def _loss_of(self, log_p: NDArray, p: NDArray, nearest: NDArray) -> float:
        """Return the TEMI loss of the head that was kept."""
        losses = temi_losses(self._fitted_beta, log_p[:, None], p[:, None], nearest)
        return float(losses[0])

    def _dump_state(self) -> dict[str, Any]:
        return {"beta": self._fitted_beta}

    def _restore_state(self, state: dict[str, Any]) -> None:
        self._fitted_beta = state["beta"]
