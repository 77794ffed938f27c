"""Training of the stages of SCAN: inputs and loss of a step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from invariant_cluster.losses import mean_entropy, scan_consistency, self_label_loss
from invariant_cluster.training._augmented import augment_aligned
from invariant_cluster.training._processes import gathered
from invariant_cluster.training._term_net import TermNet
from invariant_cluster.views import Augmentation


@contextmanager
def frozen(layers: list[nn.Module]) -> Iterator[None]:
    """Keep the weights of layers inside a block; it computes no gradient for them.

    Parameters
    ----------
    layers : list of nn.Module
        Layers of a module in training.

    Yields
    ------
    None
        Afterwards the parameters that were trainable are so again.
    """
    trained = [p for layer in layers for p in layer.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


class HeadsNet(TermNet):
    """Net that trains the heads of a ``ScanModule`` on rows of z and their neighbours.

    Several processes do not share its batches: a step is too short for messages.

    See Also
    --------
    ScanNet : Train encoder and heads on images.
    ScanObjective : The loss of this net.
    """

    divides_batches = False

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Return log-probabilities of rows of z.

        Parameters
        ----------
        x : Tensor of shape (2 b, d)
            Anchors, then their neighbours.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        Tensor of shape (n_heads, 2 b, n_clusters)
            Log-probabilities of each head.
        """
        return cast(Tensor, self.module_(x.to(self.device)))


class ScanNet(TermNet):
    """Net that trains a ``ScanModule`` on augmented images and their neighbours.

    The encoder's ``early_layers`` keep their weights, and no gradient is computed for
    them. Their batch normalisation still uses each batch.

    Parameters
    ----------
    *args
        Positional arguments of :class:`TermNet`.
    augmentation : Augmentation
        Applied to anchors and neighbours, each by its own draw.
    **kwargs
        Keyword arguments of :class:`TermNet`.

    See Also
    --------
    HeadsNet : Train the heads alone.
    SelfLabelNet : Train on confident labels.
    ScanObjective : The loss of this net.
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def fit_loop(self, *args: Any, **kwargs: Any) -> TermNet:
        """Train all but the early layers, as :meth:`TermNet.fit_loop` does.

        Parameters
        ----------
        *args, **kwargs
            As of :meth:`TermNet.fit_loop`.

        Returns
        -------
        TermNet
            The net itself.
        """
        with frozen(self.module_.encoder.early_layers):
            return super().fit_loop(*args, **kwargs)

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Return log-probabilities of augmented images.

        Parameters
        ----------
        x : Tensor of shape (2 b, c, h, w)
            Raw images: anchors, then their neighbours.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        Tensor of shape (n_heads, 2 b, n_clusters)
            Log-probabilities of each head.
        """
        return self.augmented(self.module_.encoder.aligner.scale(x.to(self.device)))

    def collect(self, outputs: Any) -> Any:
        """Return the anchors of all processes, then the neighbours of all.

        Parameters
        ----------
        outputs : Tensor of shape (n_heads, 2 b, n_clusters), or tuple of such
            Output of ``infer`` for the share of this process.

        Returns
        -------
        object
            The same for all rows.
        """
        return gathered(outputs, dim=1, n_parts=2)

    def augmented(self, images: Tensor) -> Tensor:
        """Augment scaled images and return their log-probabilities.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images in [0, 1], not yet aligned.

        Returns
        -------
        Tensor of shape (n_heads, n, n_clusters)
            Log-probabilities of each head.
        """
        seen = augment_aligned(images, self.module_.encoder, self.augmentation)
        return self.module_.forward_aligned(seen)


class SelfLabelNet(ScanNet):
    """Net that trains a ``ScanModule`` with one head on its own confident labels.

    See Also
    --------
    SelfLabelObjective : The loss of this net.
    ScanNet : The stage of SCAN before this one.
    """

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Return log-probabilities of plain and of augmented images.

        Parameters
        ----------
        x : Tensor of shape (b, c, h, w)
            Raw images.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        plain : Tensor of shape (b, n_clusters)
            Log-probabilities of the images, in evaluation mode and without gradient.
        augmented : Tensor of shape (b, n_clusters)
            Log-probabilities of augmented views, in training mode.
        """
        x = x.to(self.device)
        self.module_.eval()
        with torch.no_grad():
            plain = self.module_(x)[0]
        self._set_training()
        return plain, self.augmented(self.module_.encoder.aligner.scale(x))[0]

    def collect(self, outputs: Any) -> Any:
        """Return the outputs for the images of all processes.

        Parameters
        ----------
        outputs : tuple of Tensor of shape (b, n_clusters)
            Output of ``infer`` for the share of this process.

        Returns
        -------
        object
            The same for all images.
        """
        return gathered(outputs)


class ScanObjective(nn.Module):
    """Loss of SCAN: ``-log <p, q> - w min(H(mean p), t)``, summed over heads.

    Parameters
    ----------
    entropy_weight : float
        Weight w of the entropy.
    entropy_target : float, default=inf
        Upper limit t of the entropy reward, in nats. Without a limit, the loss is that
        of the reference.

    See Also
    --------
    scan_consistency : Return the first term.
    mean_entropy : Return the entropy H of the mean probabilities.
    SelfLabelObjective : The loss of self-labelling.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: learning to classify images without labels", ECCV
    2020, equation 2.
    """

    def __init__(self, entropy_weight: float, entropy_target: float = math.inf) -> None:
        super().__init__()
        self.entropy_weight = entropy_weight
        self.entropy_target = entropy_target

    def forward(self, log_probabilities: Tensor, _: object = None) -> dict[str, Tensor]:
        """Return the loss and its terms.

        Parameters
        ----------
        log_probabilities : Tensor of shape (n_heads, 2 b, n_clusters)
            Log-probabilities of the anchors, then of their neighbours.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss", summed over heads; "consistency" and "entropy", averaged over heads
            and not weighted.
        """
        anchors, neighbors = log_probabilities.chunk(2, dim=1)
        consistency = scan_consistency(anchors, neighbors)
        entropy = mean_entropy(anchors)
        return {
            "loss": self.weigh(consistency, entropy).sum(),
            "consistency": consistency.mean(),
            "entropy": entropy.mean(),
        }

    def weigh(self, consistency: Tensor, entropy: Tensor) -> Tensor:
        """Return the loss of the two terms.

        Parameters
        ----------
        consistency : Tensor of shape (n_heads,) or ()
            Values of ``-log <p, q>``.
        entropy : Tensor of the same shape
            Values of H(mean p), in nats.

        Returns
        -------
        Tensor of the same shape
            ``consistency - w min(entropy, t)``.
        """
        return consistency - self.entropy_weight * entropy.clamp_max(
            self.entropy_target
        )


class SelfLabelObjective(nn.Module):
    """Cross-entropy of augmented images with the labels of confident images.

    Parameters
    ----------
    threshold : float
        Minimum probability of the most likely cluster for an image to be confident.

    See Also
    --------
    self_label_loss : Return the class-balanced cross-entropy.
    ScanObjective : The loss of the stage before.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: learning to classify images without labels", ECCV
    2020, section 2.3.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(
        self, log_probabilities: tuple[Tensor, Tensor], _: object = None
    ) -> dict[str, Tensor]:
        """Return the loss and the share of confident images.

        Parameters
        ----------
        log_probabilities : (Tensor, Tensor), each of shape (b, n_clusters)
            Log-probabilities of the plain and of the augmented images.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss", and "confident", the fraction of confident images.
        """
        plain, augmented = log_probabilities
        probability, labels = plain.exp().max(dim=1)
        confident = probability >= self.threshold
        loss = self_label_loss(augmented, labels, confident, plain.shape[1])
        return {"loss": loss, "confident": confident.float().mean()}
