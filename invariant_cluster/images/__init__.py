"""The user's images: layout, checks, intensity range, background and embedding."""

from invariant_cluster.images._border import (
    border_median,
    edges_of,
    measure_background,
)
from invariant_cluster.images._central_object import isolate_central
from invariant_cluster.images._checks import (
    check_finite,
    check_images,
    check_rows,
    check_width,
)
from invariant_cluster.images._image_embedding import ImageEmbedding, take_rows
from invariant_cluster.images._intensity import measure_range
from invariant_cluster.images._layout import (
    CHANNEL_COUNTS,
    MIN_SIDE,
    ImageLayout,
    infer_layout,
    store_layout,
)
from invariant_cluster.images._noise import (
    NO_SMOOTHING,
    Noise,
    Smoothing,
    choose_smoothing,
    expected_values,
    measure_noise,
    range_of,
    smoothed_sample,
)
from invariant_cluster.images._pictures import as_pictures
from invariant_cluster.images._tone import (
    NO_TONE,
    Tone,
    as_tone,
    measure_tone,
    own_backgrounds,
    toned,
    toned_sample,
    untoned,
)
from invariant_cluster.images._turn import turn

__all__ = [
    "CHANNEL_COUNTS",
    "MIN_SIDE",
    "NO_SMOOTHING",
    "NO_TONE",
    "ImageEmbedding",
    "ImageLayout",
    "Noise",
    "Smoothing",
    "Tone",
    "as_pictures",
    "as_tone",
    "border_median",
    "check_finite",
    "check_images",
    "check_rows",
    "check_width",
    "choose_smoothing",
    "edges_of",
    "expected_values",
    "infer_layout",
    "isolate_central",
    "measure_background",
    "measure_noise",
    "measure_range",
    "measure_tone",
    "own_backgrounds",
    "range_of",
    "smoothed_sample",
    "store_layout",
    "take_rows",
    "toned",
    "toned_sample",
    "turn",
    "untoned",
]
