"""The trunk trains on every processor, at any width and size, without a crash.

torch chooses a convolution kernel by processor, shape and memory format, and some
kernels write out of bounds. Each trial runs in its own process, so that a crash fails
one test instead of ending the test run.
"""

import copy
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from invariant_cluster import IRLINREmbedder
from invariant_cluster.modules import ResNet18
from invariant_cluster.runtime import autocast, resolve_precision

WIDTHS = (1, 2, 4, 8, 12, 16)
SIDES = (24, 33, 48, 64, 96)
FITTED_SIDES = (24, 32, 48, 64, 96, 128)
SECONDS = 240


def run(trial, *arguments, threads=1):
    """Run a trial of this file in a new process and return what it printed."""
    done = subprocess.run(
        [sys.executable, __file__, trial, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, (
        f"exit code {done.returncode}; the last trials were\n{done.stdout[-200:]}"
        f"{done.stderr[-2000:]}"
    )
    return done.stdout.splitlines()


def test_no_strided_pointwise_convolution():
    """The kind whose weight gradient oneDNN writes out of bounds."""
    convolutions = [m for m in ResNet18(1, 8).modules() if isinstance(m, nn.Conv2d)]
    pointwise = [m for m in convolutions if m.kernel_size == (1, 1)]
    assert len(pointwise) == 3
    assert all(m.stride == (1, 1) for m in pointwise)


@pytest.mark.parametrize(
    ("precision", "threads"), [("float32", 1), ("float32", 2), ("bfloat16", 1)]
)
def test_convolutions_are_those_of_float64(precision, threads):
    lines = run("gradients", precision, threads=threads)
    assert len(lines) == len(WIDTHS) * len(SIDES) * 2


@pytest.mark.slow
@pytest.mark.parametrize("width", ["4", "8", "16"])
def test_light_networks_fit_images_of_any_size(width):
    lines = run("fit", width)
    assert len(lines) == 2 * len(FITTED_SIDES)


def gradients(precision):
    """Print each shape before its trial; compare each convolution with float64."""
    dtype = resolve_precision(precision, "cpu")
    for width, side, n in itertools.product(WIDTHS, SIDES, (1, 2)):
        print(f"width {width}, {side} pixels, {n} images", flush=True)
        torch.manual_seed(0)
        net = ResNet18(1, width)
        with autocast("cpu", dtype):
            inputs = inputs_of_convolutions(net, torch.rand(n, 1, side, side))
        for convolution, x in inputs:
            compare(convolution, x, dtype)


def inputs_of_convolutions(net, images):
    """Train on images once, and return each convolution with what it was given."""
    met, hooks = [], []
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            hook = module.register_forward_hook(lambda *call: met.append(call[:2]))
            hooks.append(hook)
    net(images).float().square().sum().backward()
    for hook in hooks:
        hook.remove()
    return [(convolution, x.detach()) for convolution, (x,) in met]


def compare(convolution, inputs, dtype):
    exact = copy.deepcopy(convolution).double()
    theirs = inputs.double().requires_grad_()
    ours = inputs.float().requires_grad_()
    convolution.zero_grad()
    exact.zero_grad()
    with autocast("cpu", dtype):
        outputs = convolution(ours)
    expected = exact(theirs)
    direction = torch.randn_like(expected)
    outputs.float().backward(direction.float())
    expected.backward(direction)
    limit = 1e-4 if dtype is None else 0.02
    for found, wanted in [
        (outputs, expected),
        (ours.grad, theirs.grad),
        (convolution.weight.grad, exact.weight.grad),
    ]:
        difference = (found - wanted).norm() / wanted.norm()
        assert difference < limit, f"{convolution}, {inputs.shape}: {difference:.2g}"


def fit(width):
    """Print each shape before it is fitted, in both precisions."""
    for side, precision in itertools.product(FITTED_SIDES, ("float32", "bfloat16")):
        print(f"{side} pixels, {precision}", flush=True)
        images = np.random.default_rng(0).integers(0, 255, (8, side, side), np.uint8)
        embedder = IRLINREmbedder.light().set_params(
            encoder_width=int(width),
            max_epochs=1,
            batch_size=4,
            precision=precision,
            random_state=0,
        )
        assert np.isfinite(embedder.fit_transform(images)).all()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
