"""Model files: weights in the safetensors format, JSON in its header.

Reading a file runs no code from it. The checksum over the whole content detects
truncation and accidental changes; it is not a signature.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from invariant_cluster.persistence._atomic import replacing
from invariant_cluster.persistence._known_classes import Part

FORMAT = 1
_KEY = "invariant_cluster"
_OURS = "invariant-cluster"
_PACKAGES = {
    _OURS: "invariant_cluster",
    "torch": "torch",
    "numpy": "numpy",
    "scikit-learn": "sklearn",
}


class ModelFile(NamedTuple):
    """Content of a model file.

    Attributes
    ----------
    spec : dict
        JSON with the key "parts", the specs of the estimators in their order, and
        perhaps "reading"; a file that was read also has "format" and "versions".
    tensors : dict of str to Tensor
        Tensors of all parts; the keys begin with the index of the part and a slash.

    See Also
    --------
    Part : Content for one estimator.
    """

    spec: dict[str, Any]
    tensors: dict[str, Tensor]


def join_parts(
    parts: Sequence[tuple[str | None, Part]], reading: str | None = None
) -> ModelFile:
    """Return the content of a model file with the given parts.

    Parameters
    ----------
    parts : sequence of (str or None, Part)
        Step names and parts, in the order of the pipeline. The name is None for a
        single estimator outside a pipeline.
    reading : str, optional
        How the files of the training images were read.

    Returns
    -------
    ModelFile
        Content for :func:`write_model`.

    See Also
    --------
    split_parts : Return the parts of a file.
    """
    spec: dict[str, Any] = {
        "parts": [{"name": name, **part.spec} for name, part in parts]
    }
    if reading is not None:
        spec["reading"] = reading
    tensors = {
        f"{i}/{key}": tensor
        for i, (_, part) in enumerate(parts)
        for key, tensor in part.tensors.items()
    }
    return ModelFile(spec, tensors)


def split_parts(content: ModelFile) -> list[tuple[str | None, Part]]:
    """Return the names and parts in the content of a model file.

    Parameters
    ----------
    content : ModelFile
        Content that :func:`read_model` returned.

    Returns
    -------
    list of (str or None, Part)
        Step names and parts, in the order of the pipeline.

    Raises
    ------
    ValueError
        If the file holds no parts.

    See Also
    --------
    join_parts : Join parts to the content of a file.
    """
    specs = content.spec.get("parts")
    if not isinstance(specs, list) or not specs:
        raise ValueError(
            "The model file holds no estimator: it was altered. Save the model again."
        )
    return [
        (spec.get("name"), Part(spec, _tensors_of(content, f"{i}/")))
        for i, spec in enumerate(specs)
    ]


def _tensors_of(content: ModelFile, prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose keys start with the prefix, without it."""
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in content.tensors.items()
        if key.startswith(prefix)
    }


def write_model(path: str | os.PathLike[str], content: ModelFile) -> None:
    """Write a model file, completely or not at all.

    Parameters
    ----------
    path : path-like
        File to write; it is replaced if it exists.
    content : ModelFile
        Specs and tensors. Tensors may be on any device.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, ValueError
        If no file can be written at the path, as in :func:`check_place`.

    See Also
    --------
    read_model : Read the file again.

    Notes
    -----
    The format number, the versions of the packages that affect the outputs and a
    checksum are added.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in content.tensors.items()
    }
    spec = {"format": FORMAT, "versions": _versions(), **content.spec}
    text = json.dumps(spec, allow_nan=False)
    # A single entry, since safetensors writes several in random order.
    metadata = {_KEY: f"{_checksum(text, tensors)} {text}"}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)


def read_model(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file and verify its checksum and format.

    Parameters
    ----------
    path : path-like
        File that :func:`write_model` wrote.

    Returns
    -------
    ModelFile
        The content, with all tensors on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a model file, is damaged, or has a newer format.

    Warns
    -----
    UserWarning
        If a newer version of this package wrote the file.

    See Also
    --------
    write_model : Write a model file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"path={str(path)!r} is not a file: give the path of a saved model."
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"path={str(path)!r} is not a model file, or is truncated ({error}): save "
            "the model again."
        ) from error
    spec = _checked_spec(path, metadata, tensors)
    _warn_if_newer(path, spec.get("versions"))
    return ModelFile(spec, tensors)


def _versions() -> dict[str, str]:
    """Return the versions of the packages that affect the outputs of a model."""
    return {name: _version(name) for name in _PACKAGES}


def _version(name: str) -> str:
    """Return the version of a package, installed or merely a folder on the path."""
    return str(import_module(_PACKAGES[name]).__version__)


def _warn_if_newer(path: str | os.PathLike[str], versions: Any) -> None:
    """Warn if a newer version of this package wrote the file."""
    ours = _version(_OURS)
    theirs = str(versions.get(_OURS)) if isinstance(versions, dict) else ours
    if _numbers(theirs) > _numbers(ours):
        warnings.warn(
            f"path={str(path)!r} was written by {_OURS} {theirs}, but {ours} is "
            "installed: install the newer version if the outputs look wrong.",
            UserWarning,
            stacklevel=4,
        )


def _numbers(text: str) -> tuple[int, ...]:
    """Return the release numbers of a version: "1.2.0rc1" -> (1, 2, 0)."""
    return tuple(map(int, re.findall(r"\d+", text)[:3]))


def _checked_spec(
    path: str | os.PathLike[str], metadata: dict[str, str], tensors: dict[str, Tensor]
) -> dict[str, Any]:
    """Return the JSON part after the checksum and the format are verified."""
    if _KEY not in metadata:
        raise ValueError(
            f"path={str(path)!r} was not written by invariant_cluster: give a file "
            "that save or save_model wrote."
        )
    checksum, _, text = metadata[_KEY].partition(" ")
    if checksum != _checksum(text, tensors):
        raise ValueError(
            f"path={str(path)!r} is damaged or was altered: its checksum does not "
            "match. Save the model again."
        )
    try:
        spec: dict[str, Any] = json.loads(text)
        found = int(spec["format"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"path={str(path)!r} does not describe a model ({error!r}): it was "
            "altered. Save the model again."
        ) from error
    if found > FORMAT:
        raise ValueError(
            f"path={str(path)!r} has format {found}, but this version of "
            f"invariant_cluster reads formats up to {FORMAT}: install a newer version."
        )
    return spec


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of the JSON text and all tensors, as hexadecimal digits."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
