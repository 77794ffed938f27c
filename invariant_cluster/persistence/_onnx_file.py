"""Export of modules to ONNX files."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from invariant_cluster.persistence._atomic import replacing


def write_onnx(
    path: str | os.PathLike[str], module: nn.Module, example: Tensor
) -> None:
    """Write a module as an ONNX model with input "images" and output "z".

    Parameters
    ----------
    path : path-like
        File to write, completely or not at all; it is replaced if it exists.
    module : nn.Module
        Module in evaluation mode that maps (n, ...) to (n, d).
    example : Tensor of shape (n, ...)
        Input with which the module is traced. Its dtype and all sizes but n are fixed
        in the model; n is free.

    Raises
    ------
    ImportError
        If the packages onnx and onnxscript are not installed.
    FileNotFoundError, IsADirectoryError, PermissionError, ValueError
        If no file can be written at the path, as in :func:`check_place`.

    See Also
    --------
    save_model : Write a model file, which this package can load again.
    """
    _check_packages()
    # With gradients, no branch in the modules depends on the number of images.
    with replacing(path) as temporary, torch.enable_grad(), _quiet():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            input_names=["images"],
            output_names=["z"],
            verbose=False,
        )
        assert program is not None  # never None with dynamo=True
        program.save(temporary)


def _check_packages() -> None:
    """Raise an ImportError if the packages for the export are missing."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "export_onnx needs the packages onnx and onnxscript: run 'pip "
            "install onnx onnxscript'."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's warnings on deprecations and missing torchvision."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
