"""The user's images: layout, checks, intensity range, background and embedding."""

from invariant_cluster.images._blank import Blank, find_blank
from invariant_cluster.images._border import (
    border_median,
    edges_of,
    measure_background,
)
from invariant_cluster.images._burnt_in import Mark, find_mark
from invariant_cluster.images._central_object import isolate_central
from invariant_cluster.images._checks import (
    check_finite,
    check_images,
    check_rows,
    check_width,
)
from invariant_cluster.images._disc import Disc, find_disc
from invariant_cluster.images._edge_noise import edge_noise
from invariant_cluster.images._image_embedding import ImageEmbedding, take_rows
from invariant_cluster.images._intensity import measure_range
from invariant_cluster.images._layout import (
    CHANNEL_COUNTS,
    MIN_SIDE,
    ImageLayout,
    infer_layout,
    store_layout,
)
from invariant_cluster.images._masked import fill_masked, unmasked
from invariant_cluster.images._noise import (
    NO_SMOOTHING,
    Noise,
    Smoothing,
    choose_smoothing,
    measure_noise,
    range_of,
    smoothed_sample,
)
from invariant_cluster.images._notice import notice, noticed_once
from invariant_cluster.images._outliers import (
    Outliers,
    clip_outliers,
    find_outliers,
    has_few_values,
    typical_range,
)
from invariant_cluster.images._pictures import as_pictures
from invariant_cluster.images._stretch import (
    STRETCHES,
    Stretch,
    choose_stretch,
    stretched,
    stretched_level,
    stretched_sample,
    unstretched,
    unstretched_level,
)
from invariant_cluster.images._tone import (
    NO_TONE,
    Tone,
    as_tone,
    entered,
    measure_tone,
    own_backgrounds,
    shown_values,
    toned,
    toned_noise,
    toned_sample,
    untoned,
    with_faint,
)
from invariant_cluster.images._turn import turn

__all__ = [
    "CHANNEL_COUNTS",
    "MIN_SIDE",
    "NO_SMOOTHING",
    "NO_TONE",
    "STRETCHES",
    "Blank",
    "Disc",
    "ImageEmbedding",
    "ImageLayout",
    "Mark",
    "Noise",
    "Outliers",
    "Smoothing",
    "Stretch",
    "Tone",
    "as_pictures",
    "as_tone",
    "border_median",
    "check_finite",
    "check_images",
    "check_rows",
    "check_width",
    "choose_smoothing",
    "choose_stretch",
    "clip_outliers",
    "edge_noise",
    "edges_of",
    "entered",
    "fill_masked",
    "find_blank",
    "find_disc",
    "find_mark",
    "find_outliers",
    "has_few_values",
    "infer_layout",
    "isolate_central",
    "measure_background",
    "measure_noise",
    "measure_range",
    "measure_tone",
    "notice",
    "noticed_once",
    "own_backgrounds",
    "range_of",
    "shown_values",
    "smoothed_sample",
    "store_layout",
    "stretched",
    "stretched_level",
    "stretched_sample",
    "take_rows",
    "toned",
    "toned_noise",
    "toned_sample",
    "turn",
    "typical_range",
    "unmasked",
    "unstretched",
    "unstretched_level",
    "untoned",
    "with_faint",
]
