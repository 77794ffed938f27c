"""
=================================
Galaxies of very different fluxes
=================================

A galaxy lies at any angle, its size and brightness tell of its distance, and stars
stand beside it. ``kind="galaxies"`` ignores all of that. The galaxies here are drawn by
a few formulas, not observed, so that their kind is known; with the real file of Galaxy
Zoo 1, ``load_galaxies()`` reads colour images in their place.
"""

# %%
# Drawn galaxies
# --------------
# Three kinds: smooth ellipticals, spirals of two arms, and discs seen from the edge.
# Fluxes span four decades, as in a survey, and each frame has noise and two stars.
import matplotlib.pyplot as plt
import numpy as np

from invariant_cluster import make_pipeline
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.plot import ClusterGalleryDisplay

KINDS = ("elliptical", "spiral", "edge-on")
n_images, side = 450, 40
rng = np.random.default_rng(0)
down, across = np.mgrid[:side, :side] - (side - 1) / 2


def draw_galaxy(kind: str) -> np.ndarray:
    """Return a galaxy (side, side) of brightness 1 at its centre, at random angle."""
    turn, scale = rng.uniform(0, 2 * np.pi), rng.uniform(3.5, 5.5)
    x = (np.cos(turn) * across + np.sin(turn) * down) / scale
    y = (np.cos(turn) * down - np.sin(turn) * across) / scale
    if kind == "edge-on":
        return np.exp(-np.abs(x) / 1.2 - np.abs(y) / 0.22)
    if kind == "elliptical":
        radius = np.hypot(x, y / rng.uniform(0.65, 0.95))
        return np.exp(-2.5 * (radius + 0.02) ** 0.5) * np.exp(0.35)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    handed = rng.choice([-1, 1])
    arms = 0.5 + 0.5 * np.cos(2 * (angle + handed * 2.2 * np.log(radius + 0.3)))
    return np.exp(-radius / 0.35) + 0.9 * arms**2 * np.exp(-((radius / 1.6) ** 2))


def observe(galaxy: np.ndarray) -> np.ndarray:
    """Return a frame in counts: a flux, two stars and noise."""
    frame = galaxy.copy()
    for _ in range(2):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(15, 18)
        x, y = distance * np.cos(angle), distance * np.sin(angle)
        frame += 0.6 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 2)
    frame += rng.normal(0, 0.02, frame.shape)
    return 10 ** rng.uniform(0, 4) * frame


kind = rng.integers(3, size=n_images)
fluxes = np.stack([observe(draw_galaxy(KINDS[k])) for k in kind])
brightest = fluxes.max(axis=(1, 2))
print(f"brightest pixels: {brightest.min():.0f} to {brightest.max():.0f} counts")

# %%
# Stretch each frame
# ------------------
# Counts over four decades share no range of values: scaled together, all but the
# brightest galaxies are black. Each frame is divided by a high quantile of its own; the
# inverse hyperbolic sine then lifts faint arms, as astronomers' pictures do.
level = np.quantile(fluxes, 0.995, axis=(1, 2), keepdims=True)
images = np.arcsinh(5 * fluxes / level).astype(np.float32)

figure, axes = plt.subplots(3, 8, figsize=(9, 3.6), layout="constrained")
for row, name, number in zip(axes, KINDS, range(3), strict=True):
    for ax, image in zip(row, images[kind == number], strict=False):
        ax.imshow(image, cmap="magma", vmin=0, vmax=2.5)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
plt.show()

# %%
# Cluster
# -------
# ``kind="galaxies"`` gives every galaxy one size and brightness, leaves out what lies
# beside it, and clusters wavelet scattering, which needs no training. Spirals turn
# either way, so a mirror image shows the same kind.
pipe = make_pipeline(
    len(KINDS),
    kind="galaxies",
    invariance="rotation+translation+reflection+scale+brightness",
    random_state=0,
)
labels = pipe.fit_predict(images)
print(f"accuracy {100 * clustering_accuracy_score(kind, labels):.1f} %")

# %%
# The surest galaxies of each cluster
# -----------------------------------
# sphinx_gallery_thumbnail_number = 2
ClusterGalleryDisplay.from_estimator(pipe, images, n_images=12, cmap="magma")
plt.show()

# %%
# Conclusion
# ----------
# Bring each frame to a range of its own, then name what means nothing. In our run every
# drawn galaxy is in the cluster of its kind. Observed ones are much harder: on those of
# Galaxy Zoo 1 ``kind="galaxies"`` gives 50 to 62 %, :doc:`/results`.
