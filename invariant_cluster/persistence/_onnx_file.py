"""Modules as ONNX files."""

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
    module : nn.Module
        In evaluation mode, (n, ...) -> (n, d).
    example : Tensor of shape (n, ...)
        n is free in the model.

    Raises
    ------
    ImportError
        Without the packages onnx and onnxscript.
    """
    _check_packages()
    # With gradients as in training: no branch that depends on the number of images.
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
        assert program is not None  # with dynamo=True it never is
        program.save(temporary)


def _check_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "export_onnx needs the packages onnx and onnxscript: pip install "
            "'invariant-cluster[onnx]'."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of itself: deprecations, absent torchvision."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
