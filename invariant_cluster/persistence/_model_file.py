"""Model files: weights in the safetensors format, the rest as JSON in its header.

Reading one runs no code from it. A checksum over everything tells a file that was cut
off or altered by accident; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Sequence
from importlib.metadata import version
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
_PACKAGES = ("invariant-cluster", "torch", "numpy", "scikit-learn")


class ModelFile(NamedTuple):
    """What a model file holds.

    Attributes
    ----------
    spec : dict
        JSON.
    tensors : dict of str to Tensor
    """

    spec: dict[str, Any]
    tensors: dict[str, Tensor]


def join_parts(parts: Sequence[tuple[str | None, Part]]) -> ModelFile:
    """Return the content of a file that holds these parts; one without name is all."""
    spec = {"parts": [{"name": name, **part.spec} for name, part in parts]}
    tensors = {
        f"{i}/{key}": tensor
        for i, (_, part) in enumerate(parts)
        for key, tensor in part.tensors.items()
    }
    return ModelFile(spec, tensors)


def split_parts(content: ModelFile) -> list[tuple[str | None, Part]]:
    """Return names and parts of a file.

    Raises
    ------
    ValueError
        When it has none.
    """
    specs = content.spec.get("parts")
    if not isinstance(specs, list) or not specs:
        raise ValueError("The model file holds no estimator: it was altered.")
    return [
        (spec.get("name"), Part(spec, _tensors_of(content, f"{i}/")))
        for i, spec in enumerate(specs)
    ]


def _tensors_of(content: ModelFile, prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in content.tensors.items()
        if key.startswith(prefix)
    }


def write_model(path: str | os.PathLike[str], content: ModelFile) -> None:
    """Write a model file, whole or not at all.

    Raises
    ------
    FileNotFoundError
        When the folder does not exist.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in content.tensors.items()
    }
    spec = {"format": FORMAT, "versions": _versions(), **content.spec}
    text = json.dumps(spec, allow_nan=False)
    # One entry, since safetensors writes several in any order.
    metadata = {_KEY: f"{_checksum(text, tensors)} {text}"}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)


def read_model(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file.

    Raises
    ------
    FileNotFoundError
        When there is none.
    ValueError
        When it is no model file, is damaged, or has a newer format.

    Warns
    -----
    UserWarning
        When a newer version of this package wrote it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"path={str(path)!r} is no file: give a saved model.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"path={str(path)!r} is no model file, or was cut off ({error}): save the "
            "model again."
        ) from error
    spec = _checked_spec(path, metadata, tensors)
    _warn_if_newer(path, spec.get("versions"))
    return ModelFile(spec, tensors)


def _versions() -> dict[str, str]:
    """Return the versions of what a model's outputs depend on."""
    return {name: version(name) for name in _PACKAGES}


def _warn_if_newer(path: str | os.PathLike[str], versions: Any) -> None:
    """Warn where a later version of this package has written a file."""
    ours = version(_PACKAGES[0])
    theirs = str(versions.get(_PACKAGES[0])) if isinstance(versions, dict) else ours
    if _numbers(theirs) > _numbers(ours):
        warnings.warn(
            f"path={str(path)!r} was written by {_PACKAGES[0]} {theirs}, and this is "
            f"{ours}: if its outputs look wrong, install that version.",
            UserWarning,
            stacklevel=4,
        )


def _numbers(text: str) -> tuple[int, ...]:
    """Return the release in a version: "1.2.0rc1" -> (1, 2, 0)."""
    return tuple(map(int, re.findall(r"\d+", text)[:3]))


def _checked_spec(
    path: str | os.PathLike[str], metadata: dict[str, str], tensors: dict[str, Tensor]
) -> dict[str, Any]:
    """Return the JSON part, once it is known to belong to these tensors."""
    if _KEY not in metadata:
        raise ValueError(
            f"path={str(path)!r} was not written by invariant_cluster: give a file "
            "that its save made."
        )
    checksum, _, text = metadata[_KEY].partition(" ")
    if checksum != _checksum(text, tensors):
        raise ValueError(
            f"path={str(path)!r} is damaged or was altered: its checksum does not "
            "fit. Save the model again."
        )
    try:
        spec: dict[str, Any] = json.loads(text)
        found = int(spec["format"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"path={str(path)!r} does not describe a model ({error!r}): it was altered."
        ) from error
    if found > FORMAT:
        raise ValueError(
            f"path={str(path)!r} has format {found}, and this version of "
            f"invariant_cluster reads {FORMAT} at most: install a newer one."
        )
    return spec


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of everything that a file holds, in hexadecimals."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
