"""Names of masks, and the folder in which they lie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

AUTO = "auto"
SUFFIX = "_mask"
FOLDER = "masks"
_STARTS = ("_", "-", ".")
_PACKED = (".gz", ".fz", ".bz2")
_SAME = "*"  # stands for the name of the folder of images


class MaskFolder(NamedTuple):
    """Where a folder of masks lies.

    Attributes
    ----------
    inside : tuple of str
        Parts of its path in the folder of images, at any depth; () if it is outside.
    outside : str or None
        Its path, if it is outside.
    """

    inside: tuple[str, ...] = ()
    outside: str | None = None


def check_masks(masks: Any) -> str | None:
    """Return where masks lie, as text.

    Parameters
    ----------
    masks : "auto", str, path-like or None
        A suffix, a folder, or both looked for.

    Returns
    -------
    str or None
        The text; a path-like object is a folder, also if its name is like a suffix.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If the text is empty.
    """
    if masks is None:
        return None
    if not isinstance(masks, str | os.PathLike):
        raise TypeError(
            f"masks={masks!r} is no text: give 'auto', a suffix such as {SUFFIX!r}, or "
            "the folder of the masks. One mask of all files is mask=."
        )
    text = os.fspath(masks)
    if not text:
        raise ValueError("masks='' is empty: give 'auto', a suffix or a folder.")
    is_path = not isinstance(masks, str)
    return os.path.join(".", text) if is_path and not os.path.isabs(text) else text


def is_suffix(masks: str) -> bool:
    """Return whether a text is the end of the masks' names instead of their folder.

    Parameters
    ----------
    masks : str
        As :func:`check_masks` returns it.

    Returns
    -------
    bool
        True if it begins with ``_``, ``-`` or a dot and is no path.
    """
    is_path = "/" in masks or os.sep in masks or masks in (".", "..")
    return masks.startswith(_STARTS) and not is_path


def key_of_name(name: str) -> tuple[str, str]:
    """Return the folder of a file, and its name without the ending.

    Parameters
    ----------
    name : str
        Path of the file in the folder.

    Returns
    -------
    (str, str)
        ``("a", "x")`` of ``a/x.png`` and of ``a/x.fits.gz``.
    """
    folder, file = os.path.split(name)
    root, ending = os.path.splitext(file)
    if ending.lower() in _PACKED:
        root = os.path.splitext(root)[0]
    return folder, root


def key_of_mask(name: str, suffix: str) -> tuple[str, str] | None:
    """Return the key of the image whose mask lies beside it.

    Parameters
    ----------
    name : str
        Path of a file in the folder.
    suffix : str
        End of the names of masks, before the ending of the file.

    Returns
    -------
    (str, str) or None
        As of :func:`key_of_name`; None if the file is no mask.
    """
    folder, stem = key_of_name(name)
    image = stem.removesuffix(suffix)
    return (folder, image) if image not in ("", stem) else None


def key_in_folder(name: str, inner: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the key of the image whose mask lies in a folder of masks.

    Parameters
    ----------
    name : str
        Path of a file in the folder.
    inner : tuple of str
        Parts of the path of the masks' folder: in the folder of images or in a folder
        of it.

    Returns
    -------
    (str, str) or None
        As of :func:`key_of_name`, without these parts; None if the file is no mask.
    """
    folder, stem = key_of_name(name)
    parts, length = tuple(folder.split(os.sep)), len(inner)
    for start in range(len(parts) - length + 1):
        if parts[start : start + length] == inner:
            rest = parts[:start] + parts[start + length :]
            return os.sep.join(rest), stem
    return None


def find_folder(folder: str, masks: str, folders: Iterable[str]) -> MaskFolder:
    """Return where the folder of masks lies.

    Parameters
    ----------
    folder : str
        The folder of images.
    masks : str
        Path of the masks' folder: in the folder of images, beside it, or from the
        working directory, in this order.
    folders : iterable of str
        The folders in that of the images.

    Returns
    -------
    MaskFolder
        The place.

    Raises
    ------
    ValueError
        If there is no such folder, or if it holds the images.
    """
    images = os.path.abspath(os.path.expanduser(folder))
    text = masks.replace(_SAME, os.path.basename(images))
    text = os.path.normpath(os.path.expanduser(text))
    inner = tuple(text.split(os.sep))
    if any(key_in_folder(os.path.join(one, "x"), inner) for one in folders):
        return MaskFolder(inner)
    for base in (images, os.path.dirname(images), os.getcwd()):
        place = os.path.normpath(os.path.join(base, text))
        if os.path.isdir(place):
            return _place_of(images, place, masks)
    raise ValueError(
        f"masks={masks!r} is no folder in path={folder!r}, beside it or below the "
        f"working directory: give the folder of the masks, 'auto', or a suffix, which "
        f"begins with {' '.join(_STARTS)} such as {SUFFIX!r}."
    )


def _place_of(images: str, place: str, masks: str) -> MaskFolder:
    """Return where an existing folder lies, seen from that of the images."""
    if os.path.join(images, "").startswith(os.path.join(place, "")):
        raise ValueError(
            f"masks={masks!r} holds the images themselves: give the folder of the "
            "masks alone, or their suffix."
        )
    inside = os.path.join(images, "")
    if place.startswith(inside):
        return MaskFolder(tuple(place.removeprefix(inside).split(os.sep)))
    return MaskFolder(outside=place)


def relative_place(folder: str, masks: str) -> str:
    """Return where a folder of masks lies, for other folders of images.

    Parameters
    ----------
    folder : str
        The folder of images.
    masks : str
        Path of the masks' folder, outside of it.

    Returns
    -------
    str
        The path from the folder of images, with ``*`` for the name of that folder:
        "../masks", "../*_masks" or "../../masks/*". It is absolute if they lie on
        different drives.
    """
    images = os.path.abspath(os.path.expanduser(folder))
    try:
        relative = os.path.relpath(masks, images).replace(os.sep, "/")
    except ValueError:
        return masks
    name = re.escape(os.path.basename(images))
    return re.sub(rf"(?<![^\W_]){name}(?![^\W_])", _SAME, relative)
