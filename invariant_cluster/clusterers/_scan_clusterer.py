"""SCAN as a scikit-learn clusterer."""

from __future__ import annotations

import math
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
from invariant_cluster.clusterers._heads import (
    best_head,
    infer_heads,
    make_heads,
    scan_loss,
)
from invariant_cluster.clusterers._self_labelling import SelfLabellingStage
from invariant_cluster.clusterers._stage_sizes import (
    choose_augmentation,
    count_head_epochs,
    count_tuning_epochs,
)
from invariant_cluster.modules import ScanModule
from invariant_cluster.runtime import map_rows
from invariant_cluster.training import (
    HeadsNet,
    ScanNet,
    ScanObjective,
    SelfLabelNet,
    SelfLabelObjective,
    Stage,
)
from invariant_cluster.validation import Interval, StrOptions
from invariant_cluster.views import AUGMENTATIONS


class SCANClusterer(EmbeddingClusterer):
    """Clusters in which an image and its nearest neighbours agree (SCAN).

    SCAN (Van Gansbeke et al., ECCV 2020) mines the nearest neighbours of each z and
    trains linear cluster heads so that neighbours get the same cluster while all
    clusters stay in use (entropy term). Behind an embedder the clusterer then
    fine-tunes a copy of the encoder on augmented images, as the IRL-INR paper does. On
    plain rows it trains the heads alone.

    Parameters
    ----------
    n_clusters : int or "auto", default=10
        Number of clusters. "auto" chooses it on z before the heads are trained, by
        :func:`~invariant_cluster.model_selection.choose_n_clusters`: up to a minute or
        two. ``choice_`` tells why, and which numbers are as good.
    n_neighbors : int, default=20
        Neighbours mined for each row, by cosine after subtracting the mean.
    n_heads : int, default=1
        Heads trained side by side on z. The first starts from the best of ten k-means
        runs, each other one from a run of its own. The head with the lowest SCAN loss
        on the training data is kept, before any fine-tuning.
    entropy_weight : float, default=5.0
        Weight of the entropy of the mean assignment, which keeps the clusters in use.
    entropy_target : {"k-means", "uniform"}, default="k-means"
        Upper limit of the entropy reward. "uniform", as in SCAN, rewards clusters of
        equal size, which suits classes of equal size. "k-means" lets the sizes be as
        unequal as those of the k-means clusters of z from which the first head starts.
        Ignored with ``entropy_weight=0``.
    max_epochs : int or "auto", default="auto"
        Epochs of the heads alone on z. "auto" is as many as make about 10,000 steps,
        from 20 to 100. Above 320,000 rows the least number is what sees 6.4 million
        rows, for example 6 epochs of a million.
    lr : float, default=0.03
        Peak learning rate of the cluster heads, alone and in fine-tuning.
    batch_size : int, default=128
        Rows in a training step, each with one of its neighbours.
    weight_decay : float, default=1e-4
        Weight decay of Adam in every stage.
    fine_tune : "auto" or bool, default="auto"
        Whether a copy of the encoder is trained after the heads. Its layers next to
        the image, of the built-in trunks the stem, keep their weights. "auto" trains it
        when ``fit`` receives an ``ImageEmbedding``, as from the step before in a
        Pipeline, and warns on plain rows. True raises an error on plain rows. All
        parameters below up to ``self_label_lr`` are ignored without fine-tuning.
    augmentation : str, default="auto"
        Augmentation of the images in fine-tuning, named as in Table 7 of the IRL-INR
        paper: rotation R, shifts T, crops with colour jitter and blur S1, RandAugment
        with cut-outs S2; D is the embedder's deformation. One of "R", "R+T", "S1",
        "S1+R", "S1+R+T", "S1+S2", "S1+S2+R", "S1+S2+R+T", "R+D" or "R+T+D". "auto" is
        "S1+R+T" behind an embedder that is invariant to translation, else "R".
    fine_tune_max_epochs : int or "auto", default="auto"
        Epochs of each round of fine-tuning. "auto" is 50 on a GPU, and on a CPU as many
        as make about 500 steps, from 2 to 50.
    fine_tune_lr : float, default=1e-3
        Peak learning rate of the encoder in fine-tuning.
    n_rounds : int, default=1
        Rounds of fine-tuning. Each further round mines neighbours again with the
        encoder tuned so far; all rounds take equally long.
    self_label : bool, default=False
        Whether to train on confident labels after fine-tuning (SCAN's third step). If
        self-labelling empties a cluster, the result before it is kept, with a warning.
    confidence_threshold : float, default=0.99
        Least probability, before any softening, of a confident label in self-labelling.
        Ignored with
        ``self_label=False``.
    self_label_max_epochs : int, default=20
        Epochs of self-labelling. Ignored with ``self_label=False``.
    self_label_lr : float, default=1e-5
        Peak learning rate of self-labelling. Ignored with ``self_label=False``.
    device : str, default="auto"
        A torch device; "auto" is the GPU if there is one.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of matrix products in fine-tuning; the heads alone are trained in
        float32. "auto" selects bfloat16 on NVIDIA GPUs and x86 CPUs that have
        instructions for it, else float32.
    callbacks : list of skorch callbacks, optional
        Called in every stage.
    random_state : int, RandomState or None, default=None
        Seed of the heads' start, the batches and the augmentation.
    verbose : int, default=0
        1 shows progress bars with the time left, of training and of other methods that
        take more than a second; 2 also prints a line of losses for each epoch. With 0,
        a stage that will take more than ten minutes gives a ``LongFitWarning``.

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
        Row indices of the neighbours, nearest first, by z of the embedder, in all its
        spaces; after further rounds, with z of the encoder tuned before.
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
        One row per epoch: stage ("heads", "fine-tuning", in the second round
        "fine-tuning 2", or "self-labelling"), loss and its terms, seconds.
    n_iter_ : int
        Epochs trained in all stages, those of an undone self-labelling included.
    n_features_in_ : int
        Dimension of z.

    See Also
    --------
    IRLINREmbedder : Representations that do not change when the image is rotated.
    sklearn.cluster.KMeans : The clusters from which the heads start.

    Notes
    -----
    Heads on plain rows take seconds. Fine-tuning takes about as long per epoch as the
    training of the embedder.

    Without classes, ``score`` returns the negative SCAN loss, with the entropy up to
    the target of this fit. Scores of different fits are comparable only with
    ``entropy_target="uniform"``.

    Behind a ``JointEmbedder``, neighbours are mined and the first heads are trained in
    all spaces together. Fine-tuning begins with heads on the learned space alone that
    imitate these.

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
        **EmbeddingClusterer._parameter_constraints,
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
        "entropy_target": [StrOptions({"k-means", "uniform"})],
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
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "self_label": ["boolean"],
        "confidence_threshold": [Interval(Real, 0, 1, closed="neither")],
        "self_label_max_epochs": [Interval(Integral, 1, None, closed="left")],
        "self_label_lr": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_clusters: int | str = 10,
        *,
        n_neighbors: int = 20,
        n_heads: int = 1,
        entropy_weight: float = 5.0,
        entropy_target: str = "k-means",
        max_epochs: int | str = "auto",
        lr: float = 0.03,
        batch_size: int = 128,
        weight_decay: float = 1e-4,
        fine_tune: str | bool = "auto",
        augmentation: str = "auto",
        fine_tune_max_epochs: int | str = "auto",
        fine_tune_lr: float = 1e-3,
        n_rounds: int = 1,
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
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.fine_tune = fine_tune
        self.augmentation = augmentation
        self.fine_tune_max_epochs = fine_tune_max_epochs
        self.fine_tune_lr = fine_tune_lr
        self.n_rounds = n_rounds
        self.self_label = self_label
        self.confidence_threshold = confidence_threshold
        self.self_label_max_epochs = self_label_max_epochs
        self.self_label_lr = self_label_lr
        self.device = device
        self.precision = precision
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _stages(self, data: ClusteringData) -> Iterator[Stage]:
        """Yield the heads alone, fine-tuning in rounds, self-labelling."""
        seed = torch.initial_seed() % 2**31
        start = find_start(data.z, self.n_clusters_, self.n_heads, seed=seed)
        uniform = self.entropy_target == "uniform"
        self._objective = ScanObjective(
            self.entropy_weight, math.inf if uniform else start.entropy
        )
        module = ScanModule(nn.Identity(), make_heads(start))
        yield self._heads_stage(module, data.z)
        if data.encoder is None or data.images is None:
            return
        self._keep_one_head(module, data)
        module = self._with_encoder(module, data)
        yield from self._rounds(module, data)
        if self.self_label:
            yield self._self_labelling_stage(module, data.images)

    def _heads_stage(self, module: ScanModule, z: NDArray) -> Stage:
        net = self._make_net(
            HeadsNet,
            module,
            self._sampled_objective(len(z)),
            stage="heads",
            lr=self.lr,
            max_epochs=count_head_epochs(self.max_epochs, len(z), self.batch_size),
            terms=("consistency", "entropy"),
        )
        return Stage("heads", net, z, self.neighbors_)

    def _rounds(self, module: ScanModule, data: ClusteringData) -> Iterator[Stage]:
        """Yield the rounds of fine-tuning; mine neighbours anew between them."""
        encoder, images = data.encoder, data.images
        assert encoder is not None
        assert images is not None
        for number in range(1, self.n_rounds + 1):
            if number > 1:
                z = data.z.copy()
                z[:, data.columns] = map_rows(
                    encoder, encoder, images, self.device, title="embed"
                )
                self._mine(z)
            name = "fine-tuning" if number == 1 else f"fine-tuning {number}"
            yield self._tuning_stage(name, module, images)

    def _tuning_stage(self, name: str, module: ScanModule, images: NDArray) -> Stage:
        net = self._make_net(
            ScanNet,
            module,
            self._sampled_objective(len(images)),
            stage=name,
            lr=self.fine_tune_lr,
            lr_name="fine_tune_lr or lr",
            max_epochs=count_tuning_epochs(
                self.fine_tune_max_epochs, len(images), self.batch_size, self.device
            ),
            terms=("consistency", "entropy"),
            augmentation=choose_augmentation(self.augmentation, module.encoder),
            optimizer__param_groups=[("heads.*", {"lr": self.lr})],
        )
        return Stage(name, net, images, self.neighbors_)

    def _self_labelling_stage(self, module: ScanModule, images: NDArray) -> Stage:
        net = self._make_net(
            SelfLabelNet,
            module,
            SelfLabelObjective(self.confidence_threshold),
            stage="self-labelling",
            lr=self.self_label_lr,
            lr_name="self_label_lr",
            max_epochs=self.self_label_max_epochs,
            terms=("confident",),
            augmentation=choose_augmentation(self.augmentation, module.encoder),
        )
        return SelfLabellingStage("self-labelling", net, images)

    def _sampled_objective(self, n_rows: int) -> ScanObjective:
        """Return the objective as it is on batches of n_rows rows."""
        # What the entropy of a sample falls short of that of the whole (Miller, 1955).
        shortfall = (self.n_clusters_ - 1) / (2 * min(self.batch_size, n_rows))
        target = max(0.0, self._objective.entropy_target - shortfall)
        return ScanObjective(self.entropy_weight, target)

    def _keep_one_head(self, module: ScanModule, data: ClusteringData) -> None:
        """Keep the head with the lowest SCAN loss on the training data."""
        if module.heads.n_heads > 1:
            heads = infer_heads(module, data.rows_for(module), self.device)
            module.heads.keep(best_head(self._objective, heads, self.neighbors_))

    def _loss_of(self, log_p: NDArray, p: NDArray, nearest: NDArray) -> float:
        """Return the SCAN loss, as it is on all rows."""
        return scan_loss(self._objective, log_p, p, nearest)

    def _dump_state(self) -> dict[str, Any]:
        target = self._objective.entropy_target
        return {
            "entropy_weight": self._objective.entropy_weight,
            "entropy_target": None if math.isinf(target) else target,
        }

    def _restore_state(self, state: dict[str, Any]) -> None:
        target = state["entropy_target"]
        self._objective = ScanObjective(
            state["entropy_weight"], math.inf if target is None else target
        )
