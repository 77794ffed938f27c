"""The choice of the number of clusters as a model file holds it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from invariant_cluster.model_selection import Choice
from invariant_cluster.persistence import decode_frame, encode_frame

_INDEX = "n_clusters"


def dump_choice(choice: Choice | None) -> dict[str, Any] | None:
    """Return a choice as JSON."""
    if choice is None:
        return None
    spec = {part.name: getattr(choice, part.name) for part in fields(choice)}
    return {**spec, "table": encode_frame(choice.table.reset_index())}


def restore_choice(spec: dict[str, Any] | None) -> Choice | None:
    """Return the choice that :func:`dump_choice` wrote."""
    if spec is None:
        return None
    table = decode_frame(spec["table"]).set_index(_INDEX)
    return Choice(**{**spec, "table": table})
