"""
======================
Using your own encoder
======================

``IRLINREmbedder`` and ``SimCLREmbedder`` accept any PyTorch module as their encoder:
``encoder`` is a factory, called with the number of channels, of a module that maps
images to features. The package provides the heads for z and pose, the alignment, the
INR and the training. SCAN fine-tunes your encoder like the built-in one.
"""

# %%
# A small network
# ---------------
# The factory may be a class, if the number of channels is the only argument of its
# constructor. The module receives images (n, c, h, w), scaled to [0, 1], aligned and
# cut to the field of view, and returns features (n, n_features) of any number. To
# pickle the estimator, define the factory in a module that can be imported, not as a
# lambda.
import time

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.cluster import KMeans
from torch import Tensor, nn

from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    neighbor_purity_score,
)


class PlainConvolutions(nn.Module):
    """Three convolutions of stride 2, without residual connections."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(n_channels, 16, 5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def flat_pixels(n_channels: int) -> nn.Module:
    """Return an encoder without weights; the embedder's head does all the work."""
    return nn.Flatten()


# %%
# Comparison
# ----------
# The same embedder with the built-in ResNet18, with the convolutions above, and without
# an encoder: the head, a perceptron, receives the aligned pixels. All train on the same
# images for the same number of epochs.
images, classes = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
embedder = IRLINREmbedder.light().set_params(
    encoder_width=4, max_epochs=8, random_state=0
)
encoders = {
    "resnet18, width 4": "resnet18",
    "plain convolutions": PlainConvolutions,
    "none (flat pixels)": flat_pixels,
}
kmeans = KMeans(10, n_init=10, random_state=0)
rows, histories = {}, {}
for name, encoder in encoders.items():
    start = time.perf_counter()
    fitted = clone(embedder).set_params(encoder=encoder).fit(images)
    seconds = time.perf_counter() - start
    z = fitted.transform(images)
    rows[name] = {
        "weights": sum(p.numel() for p in fitted.encoder_.trunk.parameters()),
        "seconds": seconds,
        "purity of neighbours": neighbor_purity_score(z, classes),
        "k-means accuracy": clustering_accuracy_score(classes, kmeans.fit_predict(z)),
    }
    histories[name] = fitted.history_
table = pd.DataFrame(rows).T.astype({"weights": int})
print(table.round(3).to_string())

# %%
# Training curves
# ---------------
# The curves show the reconstruction error as squared error per pixel, whatever loss is
# minimised.
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, history in histories.items():
    ax.plot(history.index + 1, history["squared_error"], marker="o", label=name)
ax.set(xlabel="epoch", ylabel="squared error of a pixel", yscale="log")
ax.legend()
plt.show()

# %%
# Conclusion
# ----------
# An encoder of your own is one argument and worth a trial. In our run of eight epochs
# the plain convolutions took half the time of the ResNet and gave the better z: 0.90 of
# the neighbours were of the same class, against 0.85. Without an encoder the share was
# 0.88. The images are few and small, and the encoder receives them aligned and centred,
# so eighteen layers are not needed. Repeat the comparison on larger images or after
# longer training.
#
# The encoder cannot change the invariance, which comes from the alignment and the
# training, not from the network.
