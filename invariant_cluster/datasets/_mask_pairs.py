"""Which file is the mask of which image of a folder."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from invariant_cluster.datasets._folder_listing import Listing, Masks, list_images
from invariant_cluster.datasets._folder_records import show_name
from invariant_cluster.datasets._mask_places import (
    AUTO,
    FOLDER,
    SUFFIX,
    find_folder,
    is_suffix,
    key_in_folder,
    key_of_mask,
    key_of_name,
    relative_place,
)
from invariant_cluster.datasets._reading import Reading

_Key = tuple[str, str]
_ByKey = dict[_Key, list[str]]


class _Rule(NamedTuple):
    """Where masks lie: ``key_of`` tells those in the folder, or ``outside`` holds all.

    ``stored`` is how other folders find theirs, ``where`` says it in a message.
    """

    stored: str
    where: str
    key_of: Callable[[str], _Key | None] = lambda name: None
    outside: str | None = None


def pair_masks(
    listing: Listing,
    reading: Reading,
    exclude: Iterable[str | os.PathLike[str]] = (),
) -> tuple[Listing, Reading]:
    """Return the images of a folder with the mask of each.

    Parameters
    ----------
    listing : Listing
        The images and, if they lie in the folder, the masks.
    reading : Reading
        How the files are read; ``masks`` says where the masks lie.
    exclude : iterable of path-like, default=()
        Files and folders that are left out, of images and masks.

    Returns
    -------
    (Listing, Reading)
        The images alone, with their masks, and the reading that finds those of another
        folder; both as they were if there are no masks.

    Raises
    ------
    ValueError
        If there are no masks, no images beside them, or masks of both kinds.

    Warns
    -----
    UserWarning
        If ``masks`` is None and files are named like masks of others.
    """
    if reading.masks is None:
        _warn_of_masks(listing)
        return listing, reading
    rule = _choose_rule(listing, reading.masks)
    images, masks = _sort_out(listing, rule)
    if rule.outside is not None:
        masks = _list_outside(rule.outside, reading.masks, exclude)
    if not masks or not images.names:
        raise ValueError(
            f"masks={reading.masks!r} finds {'no image' if masks else 'no mask'} for "
            f"path={listing.folder!r}; a mask lies {rule.where}: name the masks so, or "
            "give their folder or suffix."
        )
    files = [_masks_of(name, masks) for name in images.names]
    paired = images._replace(masks=Masks(files, rule.where))
    return paired, replace(reading, masks=rule.stored)


def _choose_rule(listing: Listing, masks: str) -> _Rule:
    """Return where the masks of a folder lie."""
    if masks == AUTO:
        return _find_rule(listing)
    if is_suffix(masks):
        return _beside(masks)
    folders = {os.path.dirname(name) for name in listing.names}
    place = find_folder(listing.folder, masks, folders)
    if place.outside is None:
        return _inside(place.inside)
    stored = relative_place(listing.folder, place.outside)
    return _Rule(stored, f"in {place.outside}", outside=place.outside)


def _find_rule(listing: Listing) -> _Rule:
    """Return the rule that finds masks: in the folder, or else beside it."""
    fitting = [rule for rule in _rules_inside() if _pairs(listing, rule)]
    if len(fitting) > 1:
        raise ValueError(
            f"masks='auto' finds masks of two kinds in path={listing.folder!r}, "
            f"{fitting[0].where} and {fitting[1].where}: give masks={SUFFIX!r} or "
            f"masks={FOLDER!r}."
        )
    if fitting:
        return fitting[0]._replace(stored=AUTO)
    beside = os.path.join(os.path.dirname(os.path.abspath(listing.folder)), FOLDER)
    if os.path.isdir(beside):
        return _Rule(AUTO, f"in {beside}", outside=beside)
    raise ValueError(
        f"masks='auto' finds no masks for path={listing.folder!r}: a mask is named "
        f"like its image with {SUFFIX} (galaxy.png, galaxy{SUFFIX}.png), or lies under "
        f"its name in a folder {FOLDER!r} in the folder of images or beside it. Name "
        "them so, or give their folder or suffix as masks=."
    )


def _rules_inside() -> tuple[_Rule, _Rule]:
    """Return the rules by which masks are found in a folder."""
    return _beside(SUFFIX), _inside((FOLDER,))


def _beside(suffix: str) -> _Rule:
    """Return the rule of masks beside their images."""
    where = f"beside its image as *{suffix}.*"
    return _Rule(suffix, where, partial(key_of_mask, suffix=suffix))


def _inside(inner: tuple[str, ...]) -> _Rule:
    """Return the rule of masks in a folder below that of the images."""
    name = "/".join(inner)
    where = f"in a folder {name} under the name of its image"
    return _Rule(name, where, partial(key_in_folder, inner=inner))


def _sort_out(listing: Listing, rule: _Rule) -> tuple[Listing, _ByKey]:
    """Return the images, and the paths of the masks among them."""
    keys = [rule.key_of(name) for name in listing.names]
    masks: _ByKey = defaultdict(list)
    for key, path in zip(keys, listing.paths, strict=True):
        if key is not None:
            masks[key].append(path)
    return listing.take([row for row, key in enumerate(keys) if key is None]), masks


def _pairs(listing: Listing, rule: _Rule) -> list[tuple[str, str]]:
    """Return images with a mask by a rule, and that mask."""
    images, masks = _sort_out(listing, rule)
    names = images.names if masks else []
    found = [(name, _masks_of(name, masks)) for name in names]
    return [(name, files[0]) for name, files in found if files]


def _masks_of(name: str, masks: _ByKey) -> tuple[str, ...]:
    """Return the masks of an image; in a folder of masks they may have the suffix."""
    folder, stem = key_of_name(name)
    return tuple(masks.get((folder, stem)) or masks.get((folder, stem + SUFFIX)) or ())


def _list_outside(
    folder: str, masks: str, exclude: Iterable[str | os.PathLike[str]]
) -> _ByKey:
    """Return the masks of a folder that holds nothing else."""
    try:
        listing = list_images(folder, exclude)
    except ValueError as error:
        raise ValueError(
            f"masks={masks!r} but {folder} holds no image files: give the folder of "
            "the masks."
        ) from error
    found: _ByKey = defaultdict(list)
    for name, path in zip(listing.names, listing.paths, strict=True):
        found[key_of_name(name)].append(path)
    return found


def _warn_of_masks(listing: Listing) -> None:
    """Warn of files that seem to be masks of others."""
    if not any(SUFFIX in name or FOLDER in name for name in listing.names):
        return
    pairs = [pair for rule in _rules_inside() for pair in _pairs(listing, rule)]
    if not pairs:
        return
    image, mask = pairs[0][0], os.path.relpath(pairs[0][1], listing.folder)
    warnings.warn(
        f"{len(pairs):,} files of path={listing.folder!r} are named like masks of "
        f"others, such as {show_name(mask)} of {show_name(image)}, and were read as "
        "images. Use masks='auto' to show each image without what its mask leaves out, "
        "or leave the masks out with exclude=[...].",
        UserWarning,
        stacklevel=3,
    )
