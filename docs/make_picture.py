"""Draw the picture that README opens with: clusters of real wafer maps.

    python docs/make_picture.py

fits ``make_pipeline(9, kind="wafers", features="scattering")`` to the 1,799 bundled
maps without labels and draws the most confident maps of the eight largest clusters. It
takes half a minute of one core.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from invariant_cluster import make_pipeline
from invariant_cluster.datasets import load_wafer_maps

OUT = Path(__file__).parent / "_static" / "clusters.png"
N_CLUSTERS, N_SHOWN, N_ROWS, N_COLUMNS = 9, 8, 4, 4
DIES = LinearSegmentedColormap.from_list("dies", ["#12263a", "#f4a259", "#fff3d6"])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--n-images", type=int, default=None, help="fewer, for a trial")
    options = parser.parse_args(arguments)
    maps = load_wafer_maps()
    kept = np.random.default_rng(0).permutation(len(maps.images))[: options.n_images]
    draw(maps.images[kept], cluster(maps.images[kept] == 2)).savefig(
        options.out, dpi=100, facecolor="white"
    )
    print(f"wrote {options.out}")


def cluster(fails: NDArray) -> list[NDArray]:
    """Return the indices of the most confident maps of each cluster shown."""
    pipe = make_pipeline(
        N_CLUSTERS, kind="wafers", features="scattering", random_state=0
    )
    pipe.fit(fails.astype(np.uint8))
    confidence = pipe.predict_proba(fails.astype(np.uint8))
    best = np.argsort(-confidence, axis=0)[: N_ROWS * N_COLUMNS]
    sizes = np.bincount(confidence.argmax(axis=1), minlength=N_CLUSTERS)
    largest = np.sort(np.argsort(-sizes, kind="stable")[:N_SHOWN])
    return [best[:, number] for number in largest]


def draw(images: NDArray, chosen: list[NDArray]) -> plt.Figure:
    """Return a figure with one block of maps for each cluster."""
    figure, axes = plt.subplots(2, N_SHOWN // 2, figsize=(9, 4.9))
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.94, 0.03, 0.13)
    for number, (ax, indices) in enumerate(zip(axes.flat, chosen, strict=True)):
        ax.imshow(mosaic(images[indices]), interpolation="nearest")
        ax.set_title(f"cluster {number + 1}", fontsize=10, color="#12263a")
        ax.set_axis_off()
    return figure


def mosaic(maps: NDArray, gap: int = 2) -> NDArray:
    """Return maps (n, h, w) of 0 (outside), 1 (good), 2 (failed) as one picture."""
    h, w = maps.shape[1:]
    colors = DIES(np.clip(maps - 1.0, 0, 1) * 0.5)
    colors[maps == 0] = (1, 1, 1, 0)
    padded = np.pad(colors, ((0, 0), (0, gap), (0, gap), (0, 0)))
    rows = padded.reshape(N_ROWS, N_COLUMNS, h + gap, w + gap, 4)
    return rows.swapaxes(1, 2).reshape(N_ROWS * (h + gap), N_COLUMNS * (w + gap), 4)


if __name__ == "__main__":
    main()
