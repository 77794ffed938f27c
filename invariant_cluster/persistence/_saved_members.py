"""The part of a model file that holds an estimator made of other estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invariant_cluster.persistence._known_classes import Part
from invariant_cluster.persistence._model_file import (
    ModelFile,
    join_parts,
    split_parts,
)
from invariant_cluster.persistence._recipe import (
    Recipe,
    encode_recipe,
    recipe_of,
    restore,
)
from invariant_cluster.persistence._savable import check_savable


def dump_members(
    estimator: Any,
    parameter: str,
    members: Sequence[tuple[str, Any]],
    state: dict[str, Any],
    *,
    encoder_only: bool,
) -> Part:
    """Return the content of a model file for an estimator made of others.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    parameter : str
        Name of the parameter that lists the unfitted members; it is stored empty.
    members : sequence of (str, estimator)
        Names and fitted members.
    state : dict
        Other fitted attributes, as JSON.
    encoder_only : bool
        Whether to omit what the members' ``transform`` does not need.

    Returns
    -------
    Part
        Parameters and state of the estimator, and the parts of its members.

    Raises
    ------
    TypeError, ValueError
        If a member or a parameter cannot be saved.

    See Also
    --------
    restore_members : Build the members again.
    """
    for name, member in members:
        check_savable(name, member)
    content = join_parts(
        [(name, member._dump(encoder_only=encoder_only)) for name, member in members]
    )
    kind, parameters = recipe_of(estimator)
    recipe = encode_recipe(Recipe(kind, {**parameters, parameter: []}))
    return Part({**recipe, **content.spec, "state": state}, content.tensors)


def restore_members(part: Part, encoder: Any) -> list[tuple[str, Any]]:
    """Return the names and the fitted members in a part.

    Parameters
    ----------
    part : Part
        Output of :func:`dump_members`.
    encoder : callable or None
        The user's encoder factory, if a member was trained with one.

    Returns
    -------
    list of (str, estimator)
        Names and fitted members, in their order.

    Raises
    ------
    ValueError
        If the part describes no members.

    See Also
    --------
    dump_members : Return the part of an estimator.
    """
    parts = split_parts(ModelFile(part.spec, part.tensors))
    return [(str(name), restore(member, encoder)) for name, member in parts]
