"""Time the batched implicit network against a loop over images, and fewer pixels.

Usage: python -m benchmarks.time_inr [--device cpu] [--batch 32] [--size 32] [--d 512]

At the paper's sizes (f = 256, hidden layers 256-256-256), the two of a pair by turns in
one process, so that both meet the same load:

1. INR, forward and backward: the batch by one matrix product a layer, and image by
   image with each image's own weights (values and gradients are compared too);
2. ``--pixels`` of the pixels against all of them: the INR alone; the decoder step
   (hypernetwork and INR, forward and backward); and the training step of ``fit``
   (views, ResNet18, decoder, all losses, Adam; only the disc's pixels count there).

Each ratio is the median over the repetitions of (second / first).
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry import disc_mask, pixel_grid
from invariant_cluster.images import infer_layout
from invariant_cluster.modules import (
    IRLINR,
    Hypernetwork,
    HypernetworkDecoder,
    ImageAligner,
    ImplicitNetwork,
    PoseEncoder,
    PoseRule,
    ResNet18,
)
from invariant_cluster.runtime import autocast, resolve_device, resolve_precision
from invariant_cluster.training import IRLINRNet, IRLINRObjective, make_net

_WARM_UP = 2

Step = Callable[[], object]
Network = Callable[[Tensor, Tensor], Tensor]


def run_image_by_image(
    implicit: ImplicitNetwork, points: Tensor, eta: Tensor
) -> Tensor:
    """Return what ``implicit(points, eta)`` does, one small MLP an image."""
    return torch.stack(
        [_run_one(implicit, p, w) for p, w in zip(points, eta, strict=True)]
    )


def _run_one(implicit: ImplicitNetwork, points: Tensor, eta: Tensor) -> Tensor:
    """Return the logits (p, c) of one image's points (p, 2) and weights (k,)."""
    x = implicit.features(points)
    blocks = eta.split(implicit.layer_sizes)
    for block, (n_in, n_out) in zip(blocks, pairwise(implicit.sizes), strict=True):
        weight, bias = block[: n_in * n_out].view(n_in, n_out), block[n_in * n_out :]
        x = F.linear(x, weight.T, bias)
        x = F.relu(x) if block is not blocks[-1] else x
    return x


def make_model(args: argparse.Namespace, device: torch.device) -> IRLINR:
    """Return the model of the paper's sizes."""
    trunk = ResNet18(1, args.encoder_width)
    aligner = ImageAligner(
        PoseRule("complex_moment", translates=True),
        align=True,
        intensity_range=(0, 255),
        background=torch.zeros(1),
        layout=infer_layout(np.empty((1, args.size, args.size))),
    )
    encoder = PoseEncoder(
        aligner,
        trunk,
        trunk.n_features,
        d=args.d,
        train_dtype=resolve_precision(args.precision, str(device)),
    )
    implicit = ImplicitNetwork(1)
    return IRLINR(
        encoder, HypernetworkDecoder(Hypernetwork(args.d, implicit), implicit)
    ).to(device)


def make_inr_step(
    network: Network, points: Tensor, eta: Tensor, dtype: torch.dtype | None
) -> Callable[[], tuple[Tensor, Tensor]]:
    """Return a call that yields logits and their gradient by the weights eta (n, k)."""

    def step() -> tuple[Tensor, Tensor]:
        weights = eta.detach().requires_grad_()
        with autocast(points.device, dtype):
            logits = network(points, weights).float()
        logits.square().mean().backward()
        assert weights.grad is not None
        return logits.detach(), weights.grad

    return step


def make_decoder_step(
    model: IRLINR, points: Tensor, dtype: torch.dtype | None
) -> Callable[[], None]:
    """Return a call that runs hypernetwork and INR forward and backward."""
    z = torch.randn(len(points), model.encoder.d, device=points.device)

    def step() -> None:
        model.zero_grad()
        with autocast(points.device, dtype):
            logits = model.draw(z, points)
        logits.float().square().mean().backward()

    return step


def make_training_step(model: IRLINR, images: Tensor, n_pixels: int | None) -> Step:
    """Return the step that ``IRLINREmbedder.fit`` takes, encoder and views included."""
    objective = IRLINRObjective(
        reconstruction="cross_entropy",
        consistency="centered_cosine",
        pose_rule=model.encoder.pose_rule,
        direction_scale=1.0,
        reconstruction_weight=1.0,
        consistency_weight=1.0,
        symmetry_weight=15.0,
    )
    net = make_net(
        IRLINRNet,
        model,
        objective,
        lr=1e-4,
        weight_decay=5e-4,
        max_epochs=1,
        batch_size=len(images),
        device=images.device,
        callbacks=[],
        translation_std=0.1,
        n_pixels=n_pixels,
    ).initialize()
    net.history.new_epoch()
    net.history.new_batch()
    return lambda: net.train_step((images, None))


def measure(
    first: Step, second: Step, device: torch.device, repeat: int
) -> tuple[float, float, float]:
    """Return the median seconds of both, run by turns, and of second / first."""
    rounds = [
        [_seconds(step, device) for step in (first, second)]
        for _ in range(repeat + _WARM_UP)
    ]
    times = np.array(rounds[_WARM_UP:])
    ratios = times[:, 1] / times[:, 0]
    return median(times[:, 0]), median(times[:, 1]), median(ratios)


def _seconds(step: Step, device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    step()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe_machine(device: torch.device) -> str:
    """Return what the times depend on, in a line."""
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    elif os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            models = [line.split(":")[1] for line in lines if "model name" in line]
        name = models[0].strip() if models else name
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), {device}: "
        f"{name}, {os.cpu_count()} CPUs{load}"
    )


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Time the batched INR.")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32", help="auto: as fit does")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=32, help="pixels a side")
    parser.add_argument("--pixels", type=int, default=256, help="that a step samples")
    parser.add_argument("--d", type=int, default=512)
    parser.add_argument("--encoder-width", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=11)
    parser.add_argument("--threads", type=int, help="default: as torch chooses")
    return parser.parse_args()


def describe_differences(batched: Step, looped: Step) -> str:
    """Return how far values and gradients of two INR steps are apart, in a line."""
    gaps = [
        ((a - b).abs().max() / b.abs().max()).item()
        for a, b in zip(batched(), looped(), strict=True)
    ]
    return (
        f"batched and loop differ by {gaps[0]:.0e} of the largest value and "
        f"{gaps[1]:.0e} of the largest gradient"
    )


def main() -> None:
    """Measure all pairs and print them."""
    args = parse_arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device = resolve_device(args.device)
    dtype = resolve_precision(args.precision, str(device))
    n_all, n_disc = args.size**2, int(disc_mask(args.size, args.size).sum())
    print(describe_machine(device))
    print(
        f"batch {args.batch}, {args.size} x {args.size} = {n_all} pixels ({n_disc} in "
        f"the disc), d = {args.d}, f = 256, hidden 256-256-256, {args.precision}, "
        f"median of {args.repeat}"
    )

    model = make_model(args, device)
    grid = pixel_grid(args.size, args.size, device=device).reshape(-1, 2)
    points = grid[torch.randperm(n_all, device=device)].repeat(args.batch, 1, 1)
    sample = points[:, : args.pixels]
    eta = model.decoder.hypernetwork(torch.randn(args.batch, args.d, device=device))
    shape = (args.batch, 1, args.size, args.size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, device=device)

    batched = make_inr_step(model.decoder.implicit, points, eta, dtype)
    looped = make_inr_step(
        partial(run_image_by_image, model.decoder.implicit), points, eta, dtype
    )
    print(describe_differences(batched, looped))
    pairs = {
        "INR": (("batched", batched), ("loop", looped)),
        "INR, pixels": (
            (args.pixels, make_inr_step(model.decoder.implicit, sample, eta, dtype)),
            (n_all, batched),
        ),
        "decoder step, pixels": (
            (args.pixels, make_decoder_step(model, sample, dtype)),
            (n_all, make_decoder_step(model, points, dtype)),
        ),
        "training step, pixels": (
            (args.pixels, make_training_step(model, images, args.pixels)),
            (n_disc, make_training_step(model, images, None)),
        ),
    }
    for title, ((name1, first), (name2, second)) in pairs.items():
        time1, time2, ratio = measure(first, second, device, args.repeat)
        print(
            f"{title}: {name1} {1e3 * time1:.1f} ms, {name2} {1e3 * time2:.1f} ms, "
            f"ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
