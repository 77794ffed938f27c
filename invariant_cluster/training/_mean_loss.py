"""The loss of a trained net on images."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from invariant_cluster.runtime import check_outputs, evaluating, seeded, to_tensor
from invariant_cluster.training._term_net import TermNet

_SEED = 0


def mean_loss(net: TermNet, images: NDArray, batch_size: int) -> float:
    """Return the loss of images, averaged over batches.

    Parameters
    ----------
    net : TermNet
        Initialised, with the net class and the criterion of the training.
    images : ndarray of shape (n, c, h, w)
        At least two images in the user's units.
    batch_size : int
        Images in a batch; some losses depend on it.

    Returns
    -------
    float
        Mean over images. Random views are the same at every call.

    Raises
    ------
    FloatingPointError
        When the loss is not finite.
    """
    total = 0.0
    device = torch.device(net.device)
    with seeded(_SEED, device), evaluating(net.module_, device):
        for rows in gen_batches(len(images), batch_size, min_batch_size=2):
            outputs = net.infer(to_tensor(images[rows], net.device))
            loss = net.criterion_(outputs, None)["loss"]
            total += float(loss) * len(images[rows])
    check_outputs(total)
    return total / len(images)
