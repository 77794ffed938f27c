"""Where particles are kept: stacks, folders of stacks, and lists of particles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from invariant_cluster.readers._formats import FORMATS

STACKS = (".mrc", ".mrcs")
LISTS = (".star", ".cs", ".txt")
_PICTURES = tuple(suffix for form in FORMATS for suffix in form.suffixes)


def holds_particles(path: Path) -> bool:
    """Return whether a path is a stack, a list of particles or a folder of stacks.

    Parameters
    ----------
    path : Path
        File or folder that exists.

    Returns
    -------
    bool
        True for .mrc, .mrcs, .star, .cs and .txt, and for folders that hold a stack at
        any depth.

    Examples
    --------
    >>> from pathlib import Path
    >>> from invariant_cluster.readers import holds_particles
    >>> holds_particles(Path("particles.star"))
    True
    """
    if path.is_dir():
        return next(_walk(path, STACKS), None) is not None
    return path.suffix.lower() in (*STACKS, *LISTS)


def find_stacks(folder: Path) -> list[Path]:
    """Return the MRC files of a folder and its subfolders, sorted.

    Parameters
    ----------
    folder : Path
        Folder to look in. Names that start with a dot are skipped.

    Returns
    -------
    list of Path
        Files .mrc and .mrcs, below ``folder``.
    """
    return sorted(_walk(folder, STACKS))


def find_pictures(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders that are other images, sorted.

    Parameters
    ----------
    folder : Path
        Folder to look in. Names that start with a dot are skipped.

    Returns
    -------
    list of Path
        Files of the formats vouched for, such as .png and .fits, below ``folder``.
    """
    return sorted(_walk(folder, _PICTURES))


def _walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a folder with one of the suffixes, at any depth, unsorted.

    Links to folders are followed; a folder to which several lead is entered once.
    """
    entered: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(place, name)


def locate_stacks(names: list[str], source: Path) -> list[Path]:
    """Return the paths of the stacks that a list names.

    RELION and cryoSPARC name files relative to the folder of the project, which is
    that of the list or one above it.

    Parameters
    ----------
    names : list of str
        Paths as the list gives them.
    source : Path
        The list. Relative paths are looked for in its folder and in those above it;
        the first that exists is taken.

    Returns
    -------
    list of Path
        Existing files.

    Raises
    ------
    FileNotFoundError
        If a file is in none of the folders.
    """
    folders = list(dict.fromkeys([*source.parents, *source.resolve().parents]))
    found = [_locate(name, folders) for name in names]
    missing = [name for name, path in zip(names, found, strict=True) if path is None]
    if missing:
        raise FileNotFoundError(
            f"{source} names {len(names)} stacks, of which {len(missing)} are missing, "
            f"first {missing[0]}: looked in {source.parent} and the folders above it. "
            "Move the list into the folder of the project."
        )
    return [path for path in found if path is not None]


def _locate(name: str, folders: list[Path]) -> Path | None:
    """Return the first file of a name below one of the folders."""
    paths = (folder / name for folder in folders)
    return next((path for path in paths if path.is_file()), None)
