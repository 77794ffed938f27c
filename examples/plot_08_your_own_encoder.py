"""
=========================
Bringing your own encoder
=========================

``IRLINREmbedder`` and ``SimCLREmbedder`` take any PyTorch module as their encoder:
``encoder`` is a factory, called with the number of channels, of a module that maps
images to features. The heads for z and pose, the alignment, the INR and the training
are the package's; SCAN fine-tunes your encoder as it would its own.
"""

# %%
# A small network of one's own
# ----------------------------
# The factory may be a class, if its constructor takes the channels alone. Images come
# as (n, c, h, w), scaled to [0, 1], aligned and cut to the field of view; features go
# as (n, n_features), of any number. Define it in a module that can be imported, not in
# a lambda, if the estimator is to be pickled.
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
    """Return an encoder that leaves all the work to the embedder's head."""
    return nn.Flatten()


# %%
# Side by side
# ------------
# The same embedder with the built-in ResNet18, with the convolutions above, and with no
# encoder at all: aligned pixels go straight into the head, a perceptron. All see the
# same images for as many epochs.
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
# What they learn from
# --------------------
# The reconstruction error on the way: the squared error a pixel, whatever is minimised.
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, history in histories.items():
    ax.plot(history.index + 1, history["squared_error"], marker="o", label=name)
ax.set(xlabel="epoch", ylabel="squared error of a pixel", yscale="log")
ax.legend()
plt.show()

# %%
# What it says
# ------------
# An encoder of one's own is one argument, and worth trying. In our run of eight epochs
# the plain convolutions took half the time of the ResNet and gave the better z: 0.90 of
# the neighbours were of the same class, against 0.85. Even without an encoder it was
# 0.88. The images are small, and already turned and centred when the encoder sees them;
# so few of them do not need eighteen layers. On larger images, or after longer
# training, ask again.
#
# What the encoder cannot change is the invariance: that comes from the alignment and
# from the training, not from the network.
