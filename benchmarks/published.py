"""What others reached: the paper's numbers, and training-free ones to compare with.

The paper: Kwon, Choi and Ryu, ICML 2023, tables 1 to 4 and 6 to 8; accuracy in %, mean
and standard deviation of 5 runs, on one RTX 3090 Ti.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """An accuracy of the paper, in %."""

    dataset: str
    table: int
    method: str
    accuracy: float
    std: float


class PublishedPose(NamedTuple):
    """Pearson correlations of the paper's table 1, on MNIST(U)."""

    method: str
    translation: tuple[float, float]
    rotation: float


class Floor(NamedTuple):
    """An accuracy in % without learning, measured on our splits before this harness."""

    dataset: str
    method: str
    accuracy: float


# Splits of which the paper's are not public.
OTHER_SPLIT = {
    "wm811k": "The paper's split of WM811k is not public: ours differs.",
    "plankton": "The paper shows WHOI-Plankton, whose split is not public; this is "
    "another set.",
}
ACCURACIES = (
    Published("mnist-u", 2, "Spatial-VAE + k-means", 31.87, 3.72),
    Published("mnist-u", 2, "Spatial-VAE + agglomerative", 35.62, 2.08),
    Published("mnist-u", 2, "TARGET-VAE + k-means", 64.63, 4.4),
    Published("mnist-u", 2, "TARGET-VAE + agglomerative", 68.8, 4.39),
    Published("mnist-u", 2, "IRL-INR + k-means", 59.6, 1.12),
    Published("mnist-u", 2, "IRL-INR + agglomerative", 71.53, 1.01),
    Published("mnist-u", 3, "TARGET-VAE + SCAN", 63.09, 1.7),
    Published("mnist-u", 3, "SimCLR + SCAN", 85.4, 1.46),
    Published("mnist-u", 3, "IRL-INR + SCAN", 90.4, 1.74),
    Published("mnist-u", 4, "IRL-INR + SCAN, d=32", 84.18, 2.11),
    Published("mnist-u", 4, "IRL-INR + SCAN, d=64", 86.0, 1.78),
    Published("mnist-u", 4, "IRL-INR + SCAN, d=128", 85.8, 1.46),
    Published("mnist-u", 4, "IRL-INR + SCAN, d=256", 87.0, 0.89),
    Published("mnist-u", 4, "IRL-INR + SCAN, d=512", 90.4, 1.74),
    *(
        Published(
            "mnist-u",
            6,
            "SimCLR + SCAN, "
            f"clusterer.augmentation={second}, embedder.augmentation={first}",
            accuracy,
            std,
        )
        for first, second, accuracy, std in (
            ("R", "R", 41.38, 2.07),
            ("R+T", "R+T", 45.19, 3.62),
            ("S1", "S1+S2", 52.8, 3.86),
            ("S1+R", "S1+S2+R", 83.66, 1.71),
            ("S1+R+T", "S1+S2+R+T", 85.4, 1.46),
        )
    ),
    Published("mnist-u", 7, "IRL-INR + SCAN, augmentation=R", 86.42, 1.06),
    Published("mnist-u", 7, "IRL-INR + SCAN, augmentation=R+T", 87.11, 1.24),
    Published("mnist-u", 7, "IRL-INR + SCAN, augmentation=S1+S2", 85.3, 1.88),
    Published("mnist-u", 7, "IRL-INR + SCAN, augmentation=S1+S2+R", 89.71, 2.93),
    Published("mnist-u", 7, "IRL-INR + SCAN, augmentation=S1+S2+R+T", 90.4, 1.74),
    Published("mnist-u-no9", 8, "SimCLR + SCAN", 93.8, 0.74),
    Published("mnist-u-no9", 8, "IRL-INR + SCAN", 97.6, 0.48),
    Published("wm811k", 2, "Spatial-VAE + k-means", 27.4, 1.16),
    Published("wm811k", 2, "Spatial-VAE + agglomerative", 28.73, 1.39),
    Published("wm811k", 2, "TARGET-VAE + k-means", 39.6, 1.29),
    Published("wm811k", 2, "TARGET-VAE + agglomerative", 40.11, 2.7),
    Published("wm811k", 2, "IRL-INR + k-means", 55.06, 1.83),
    Published("wm811k", 2, "IRL-INR + agglomerative", 56.74, 1.15),
    Published("wm811k", 3, "TARGET-VAE + SCAN", 43.39, 4.55),
    Published("wm811k", 3, "SimCLR + SCAN", 57.1, 2.81),
    Published("wm811k", 3, "IRL-INR + SCAN", 64.6, 1.01),
    Published("wm811k", 4, "IRL-INR + SCAN, d=32", 53.78, 3.41),
    Published("wm811k", 4, "IRL-INR + SCAN, d=64", 55.4, 1.35),
    Published("wm811k", 4, "IRL-INR + SCAN, d=128", 56.2, 1.16),
    Published("wm811k", 4, "IRL-INR + SCAN, d=256", 58.6, 1.62),
    Published("wm811k", 4, "IRL-INR + SCAN, d=512", 64.6, 1.01),
)
POSES = (
    PublishedPose("Spatial-VAE", (0.982, 0.983), 0.005),
    PublishedPose("TARGET-VAE P4", (0.975, 0.976), 0.80),
    PublishedPose("TARGET-VAE P8", (0.972, 0.971), 0.859),
    PublishedPose("TARGET-VAE P16", (0.974, 0.971), 0.93),
    PublishedPose("IRL-INR", (0.999, 0.999), 0.9891),
)
# The best of each kind that was measured, at whatever size of image.
FLOORS = (
    Floor("mnist-u", "polar Fourier + k-means", 40.3),
    Floor("mnist-u", "polar Fourier + agglomerative", 43.5),
    Floor("mnist-u", "polar Fourier + spectral", 36.4),
    Floor("mnist-u", "Zernike + k-means", 49.2),
    Floor("mnist-u", "Zernike + mixture", 56.0),
    Floor("mnist-u", "polar Fourier at 32x32 + k-means", 39.3),
    Floor("mnist-u", "polar Fourier at 32x32 + mixture", 49.3),
    Floor("mnist-u", "Zernike at 32x32 + k-means", 44.4),
    Floor("mnist-u", "Zernike at 32x32 + mixture", 47.2),
    Floor("mnist-u", "IDEC, augmented by rotation (ClustPy)", 15.3),
    Floor("mnist-u", "iVAE + mixture (pyroVED), 5 minutes", 19.9),
    Floor("mnist-u", "rVAE + mixture (AtomAI), 5 minutes", 19.7),
    Floor("wm811k", "polar Fourier + k-means", 42.8),
    Floor("wm811k", "polar Fourier + agglomerative", 40.9),
    Floor("wm811k", "polar Fourier + spectral", 36.5),
    Floor("wm811k", "Zernike + k-means", 43.3),
    Floor("wm811k", "Zernike + mixture", 43.1),
    Floor("wm811k", "polar Fourier at 32x32 + k-means", 60.4),
    Floor("wm811k", "polar Fourier at 32x32 + mixture", 60.5),
    Floor("wm811k", "Zernike at 32x32 + k-means", 42.8),
    Floor("wm811k", "Zernike at 32x32 + mixture", 40.8),
    Floor("wm811k", "IDEC, augmented by rotation (ClustPy)", 61.0),
    Floor("wm811k", "iVAE + mixture (pyroVED), 5 minutes", 52.1),
    Floor("wm811k", "rVAE + mixture (AtomAI), 5 minutes", 43.0),
    Floor("plankton", "polar Fourier + k-means", 54.3),
    Floor("plankton", "polar Fourier + agglomerative", 45.2),
    Floor("plankton", "polar Fourier + spectral", 57.0),
    Floor("plankton", "Zernike + k-means", 51.8),
    Floor("plankton", "Zernike + mixture", 49.2),
    Floor("plankton", "polar Fourier at 32x32 + k-means", 41.9),
    Floor("plankton", "polar Fourier at 32x32 + mixture", 51.9),
    Floor("plankton", "Zernike at 32x32 + k-means", 51.8),
    Floor("plankton", "Zernike at 32x32 + mixture", 49.1),
)
