"""Model files of fitted estimators: weights in safetensors, everything else in JSON."""

from invariant_cluster.persistence._atomic import check_place, replacing
from invariant_cluster.persistence._blueprint import make_blueprint
from invariant_cluster.persistence._json_values import (
    decode,
    decode_frame,
    encode,
    encode_frame,
)
from invariant_cluster.persistence._known_classes import Part
from invariant_cluster.persistence._onnx_file import write_onnx
from invariant_cluster.persistence._recipe import (
    encode_recipe,
    names_of,
    recipe_of,
    set_names,
)
from invariant_cluster.persistence._savable import SavableMixin
from invariant_cluster.persistence._saved_clusterer import (
    dump_clusterer,
    restore_clusterer,
)
from invariant_cluster.persistence._saved_embedder import (
    dump_embedder,
    restore_embedder,
)
from invariant_cluster.persistence._saved_members import (
    dump_members,
    restore_members,
)
from invariant_cluster.persistence._saved_models import (
    load_model,
    load_reading,
    save_model,
)
from invariant_cluster.persistence._weights import arrays_of

__all__ = [
    "Part",
    "SavableMixin",
    "arrays_of",
    "check_place",
    "decode",
    "decode_frame",
    "dump_clusterer",
    "dump_embedder",
    "dump_members",
    "encode",
    "encode_frame",
    "encode_recipe",
    "load_model",
    "load_reading",
    "make_blueprint",
    "names_of",
    "recipe_of",
    "replacing",
    "restore_clusterer",
    "restore_embedder",
    "restore_members",
    "save_model",
    "set_names",
    "write_onnx",
]
