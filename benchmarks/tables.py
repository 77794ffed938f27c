"""Which runs make up each of the paper's tables."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

from benchmarks.scales import RIVALS
from invariant_cluster.embedders import PAPER_RECIPE
from invariant_cluster.views import AUGMENTATIONS

OURS = "IRL-INR"
LEARNED = (OURS, *RIVALS)
JOINT = "IRL-INR and scattering"
# Supervised, with all labels of the training images: what features could give.
CEILINGS = ("20-neighbour vote", "logistic regression")


class Row(NamedTuple):
    """One run: features, what is done with them, and what differs from the scale.

    Attributes
    ----------
    features : str
        "IRL-INR", one of its ``RIVALS``, one of the features without training, or
        ``JOINT``.
    step : str
        A clustering, one of the ``CEILINGS``, "learned pose" or "analytic pose".
    embedder, clusterer : dict
        Parameters that differ from the scale's.
    """

    features: str
    step: str
    embedder: Mapping[str, Any] = {}
    clusterer: Mapping[str, Any] = {}

    @property
    def method(self) -> str:
        if not self.is_pose:
            return f"{self.features} + {self.step}"
        return self.step if self.features == OURS else f"{self.features}, {self.step}"

    @property
    def is_learned(self) -> bool:
        return self.features in (*LEARNED, JOINT)

    @property
    def is_joint(self) -> bool:
        return self.features == JOINT

    @property
    def is_supervised(self) -> bool:
        return self.step in CEILINGS

    @property
    def is_pose(self) -> bool:
        return self.step.endswith("pose")


# The ablation of section 4.5; all else is as the scale prescribes.
LOSSES: tuple[dict[str, Any], ...] = (
    {},
    {"reconstruction_weight": 0.0},
    {"consistency_weight": 0.0},
    {"symmetry_weight": 0.0},
    {"symmetry_weight": 0.0, "symmetry_breaking": None},
    {"decoder": "mlp"},
    {"decoder": "pixels"},
)
# Table 6: SimCLR's augmentation, and SCAN's after it.
SIMCLR = (
    ("R", "R"),
    ("R+T", "R+T"),
    ("S1", "S1+S2"),
    ("S1+R", "S1+S2+R"),
    ("S1+R+T", "S1+S2+R+T"),
)
# One lever of the recipe after the other, the rest as the scale prescribes.
LEVERS: tuple[dict[str, Any], ...] = (
    {},
    {"consistency": "cross_correlation", "consistency_weight": 1.0},
    {"consistency": "centered_cosine", "consistency_weight": 1.0},
    {"consistency": "cosine", "consistency_weight": 1.0},
    {"consistency_weight": 0.3},
    {"temperature": 0.2},
    {"deformation": 0.0},
    {"deformation": 2.0},
    {"noise": 1.0},
    {"symmetry_breaking": "complex_moment"},
    {"align": False},
    {"field_of_view": 1.0},
    {"reconstruction": "squared_error"},
    {"symmetry_weight": 0.1},
    {"lr_schedule": "constant", "lr": 1e-3},
    {"batch_size": 64},
)
SCAN_LEVERS: tuple[dict[str, Any], ...] = (
    {"n_neighbors": 10},
    {"n_neighbors": 50},
    {"entropy_target": "uniform"},
    {"entropy_weight": 1.0},
    {"n_heads": 5},
    {"fine_tune_lr": 1e-4},
    {"self_label": True},
    {"n_rounds": 2},
)
WIDTHS = (32, 64, 128, 256, 512)


def pose_rows() -> list[Row]:
    """Table 1: also without learning, and learned on images that are not aligned."""
    return [
        Row("IRL-INR", "learned pose"),
        Row("IRL-INR", "analytic pose"),
        Row("IRL-INR", "learned pose", {"align": False}),
        Row("TARGET-VAE", "learned pose"),
        Row("Spatial-VAE", "learned pose"),
    ]


def embedding_rows() -> list[Row]:
    """Table 2."""
    steps = ("k-means", "agglomerative", "mixture")
    return [Row(features, step) for features in LEARNED for step in steps]


def scan_rows() -> list[Row]:
    """Table 3, and table 8 on data without the digit 9."""
    return [Row(features, "SCAN") for features in LEARNED]


def converged_rows() -> list[Row]:
    """Return the rivals of MNIST(U) after as many steps as IRL-INR's best row."""
    steps = {"max_epochs": 48}
    return [
        Row(features, step, steps)
        for features in RIVALS
        for step in ("k-means", "SCAN heads", "SCAN")
    ]


def frozen_rows() -> list[Row]:
    """Return SCAN that trains heads alone, on the same z."""
    return [Row(features, "SCAN heads") for features in LEARNED]


def dimension_rows() -> list[Row]:
    """Table 4."""
    return [Row("IRL-INR", "SCAN", {"d": d}) for d in WIDTHS]


def augmentation_rows() -> list[Row]:
    """Table 7, and the combinations that it leaves out."""
    return [
        Row("IRL-INR", "SCAN", clusterer={"augmentation": name})
        for name in AUGMENTATIONS
    ]


def simclr_rows() -> list[Row]:
    """Table 6."""
    return [
        Row("SimCLR", "SCAN", {"augmentation": first}, {"augmentation": second})
        for first, second in SIMCLR
    ]


def loss_rows() -> list[Row]:
    """The ablation of section 4.5, before and after SCAN."""
    return [
        Row("IRL-INR", step, changes)
        for changes in LOSSES
        for step in ("k-means", "SCAN")
    ]


def recipe_rows() -> list[Row]:
    """Return the recipe with one lever moved at a time, and the paper's recipe."""
    scan = [Row("IRL-INR", "SCAN", clusterer=changes) for changes in SCAN_LEVERS]
    embedding = [
        Row("IRL-INR", step, changes)
        for changes in (*LEVERS, PAPER_RECIPE)
        for step in ("k-means", "SCAN")
    ]
    return embedding + scan


def longer_rows() -> list[Row]:
    """Return what equal classes, four times the steps and rounds of SCAN are worth."""
    steps = {"max_epochs": 24, "batch_size": 64}
    equal = {"entropy_target": "uniform"}
    return [
        Row("IRL-INR", "SCAN", clusterer=equal),
        Row("IRL-INR", "SCAN", steps, equal),
        Row("IRL-INR", "SCAN heads", steps, equal),
        Row("IRL-INR", "k-means", steps),
        Row("IRL-INR", "SCAN", steps, {**equal, "n_rounds": 3}),
    ]


def rounds_rows() -> list[Row]:
    """Return SCAN with neighbours mined anew on the encoder that it has tuned."""
    return [Row("IRL-INR", "SCAN", clusterer={"n_rounds": 2})]


def precision_rows() -> list[Row]:
    """Return training in float32 and in bfloat16, whatever "auto" is here."""
    return [
        Row("IRL-INR", step, precision, precision if step == "SCAN" else {})
        for precision in ({"precision": "float32"}, {"precision": "bfloat16"})
        for step in ("k-means", "SCAN")
    ]


def copies_rows() -> list[Row]:
    """Return one moved copy of each image in a step against two."""
    return [
        Row(OURS, step, {"n_copies": n_copies})
        for n_copies in (1, 2)
        for step in ("k-means", "SCAN heads", "SCAN")
    ]


def trunk_rows() -> list[Row]:
    """Return the trunks of the light network, before and now, and the larger one."""
    trunks = (("resnet18", 8, 2), ("resnet18", 16, 2), ("resnet8", 16, 2))
    rows = (*trunks, ("resnet8", 16, 1))
    names = ("encoder", "encoder_width", "n_copies")
    return [
        Row(OURS, step, dict(zip(names, values, strict=True)))
        for values in rows
        for step in ("k-means", "SCAN heads")
    ]


def joint_rows() -> list[Row]:
    """Return two spaces beside each alone, and the ceilings of all three."""
    alone = [Row(OURS, step) for step in ("TEMI heads", *CEILINGS)]
    scattering = [Row("scattering", step) for step in CEILINGS]
    steps = ("k-means", "SCAN heads", "TEMI heads", "SCAN", *CEILINGS)
    return [*alone, *scattering, *(Row(JOINT, step) for step in steps)]


def joint_best_rows() -> list[Row]:
    """Return what ten heads are worth, then with three rounds and equal classes."""
    heads = {"n_heads": 10}
    best = {**heads, "n_rounds": 3, "entropy_target": "uniform"}
    return [
        Row("scattering", "SCAN heads", clusterer=heads),
        Row(JOINT, "SCAN heads", clusterer=heads),
        Row(JOINT, "SCAN", clusterer=best),
    ]


def quick_rows() -> list[Row]:
    """Return what five minutes of one core give: both spaces, heads and fine-tuned."""
    heads = {"n_heads": 10}
    return [
        Row("scattering", "SCAN heads", clusterer=heads),
        Row(OURS, "k-means"),
        Row(JOINT, "SCAN heads", clusterer=heads),
        Row(JOINT, "SCAN", clusterer=heads),
    ]


def joint_full_rows() -> list[Row]:
    """Return what two spaces give of classes of equal size, and could give."""
    heads = {"n_heads": 10, "entropy_target": "uniform"}
    return [
        *(Row(features, "k-means") for features in (OURS, "scattering", JOINT)),
        Row("scattering", "SCAN heads", clusterer=heads),
        Row(JOINT, "SCAN heads", clusterer=heads),
        Row(JOINT, "20-neighbour vote"),
        Row(JOINT, "SCAN", clusterer={**heads, "n_rounds": 2}),
    ]


def classical_rows() -> list[Row]:
    """What costs no training."""
    features = (
        "polar Fourier",
        "polar Fourier root",
        "polar Fourier whitened",
        "Zernike",
        "scattering",
    )
    steps = ("k-means", "mixture", "agglomerative", "SCAN heads")
    rows = [Row(name, step) for name, step in product(features, steps)]
    return [Row("raw pixels", "k-means"), *rows, Row("scattering", "TEMI heads")]


TABLES: dict[str, Callable[[], list[Row]]] = {
    "pose": pose_rows,
    "embedding": embedding_rows,
    "scan": scan_rows,
    "scan-frozen": frozen_rows,
    "converged": converged_rows,
    "dimension": dimension_rows,
    "augmentation": augmentation_rows,
    "simclr": simclr_rows,
    "losses": loss_rows,
    "recipe": recipe_rows,
    "longer": longer_rows,
    "rounds": rounds_rows,
    "precision": precision_rows,
    "copies": copies_rows,
    "trunks": trunk_rows,
    "classical": classical_rows,
    "joint": joint_rows,
    "joint-best": joint_best_rows,
    "joint-full": joint_full_rows,
    "quick": quick_rows,
}
# The paper's numbers of the tables; table 8 is table 3 on other data.
ALIASES = {
    "1": "pose",
    "2": "embedding",
    "3": "scan",
    "4": "dimension",
    "6": "simclr",
    "7": "augmentation",
    "8": "scan",
}
DATASET_OF_ALIAS = {"8": "mnist-u-no9"}
