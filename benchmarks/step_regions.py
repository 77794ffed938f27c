"""In which part of a training step the process is, by hooks on a net.

The parts follow one another and do not overlap: a part ends where the next begins.
Hooks on the modules tell of the forward pass, a hook on the trunk's output where the
backward pass enters the trunk, and skorch of the rest.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BETWEEN = "data and skorch"
VIEWS = "views, other"
LOSSES = "losses"
BACKWARD = "backward, other"
TRUNK_BACKWARD = "backward, trunk"
OPTIMISER = "optimiser"
# Parts of the module by the attributes of encoder and module that hold them.
OF_ENCODER = {"trunk": "trunk", "head": "heads"}
OF_MODULE = {"decoder": "decoder", "heads": "heads"}
INTERPOLATION = ("affine_grid", "grid_sample")
PARTS = (
    "pose",
    "interpolation",
    VIEWS,
    "trunk",
    "heads",
    "decoder",
    LOSSES,
    BACKWARD,
    TRUNK_BACKWARD,
    OPTIMISER,
    BETWEEN,
)


class Regions:
    """The present part of the step; each change of it is told to ``watch``."""

    def __init__(self) -> None:
        self.stack = [BETWEEN]
        self.watch: Callable[[str], None] | None = None

    @property
    def present(self) -> str:
        return self.stack[-1]

    def enter(self, name: str) -> None:
        """Begin a part inside the present one."""
        self.stack.append(name)
        self.tell()

    def leave(self) -> None:
        """Go back to the part around the present one."""
        if len(self.stack) > 1:
            self.stack.pop()
        self.tell()

    def switch(self, name: str) -> None:
        """End all parts and begin one."""
        self.stack = [name]
        self.tell()

    def tell(self) -> None:
        if self.watch is not None:
            self.watch(self.present)


@contextmanager
def following(net: Any, regions: Regions) -> Iterator[None]:
    """Let the parts of a net's step change ``regions`` inside the block."""
    module, encoder = net.module_, net.module_.encoder
    with ExitStack() as stack:
        for part, name in named_parts(module, encoder):
            stack.enter_context(hooked(part, name, regions))
        stack.enter_context(losing(net.criterion_, regions))
        if hasattr(encoder, "trunk"):
            stack.enter_context(turning(encoder.trunk, regions))
        if hasattr(encoder, "aligner"):
            stack.enter_context(
                wrapped(encoder.aligner, "analytic_pose", "pose", regions)
            )
        for function in INTERPOLATION:
            stack.enter_context(wrapped(F, function, "interpolation", regions))
        done = net.optimizer_.register_step_post_hook(
            lambda *_: regions.switch(BETWEEN)
        )
        stack.callback(done.remove)
        yield


def named_parts(module: nn.Module, encoder: nn.Module) -> list[tuple[nn.Module, str]]:
    """Return the parts that a module has, with their names."""
    return [
        (getattr(owner, attribute), name)
        for owner, names in ((encoder, OF_ENCODER), (module, OF_MODULE))
        for attribute, name in names.items()
        if hasattr(owner, attribute)
    ]


@contextmanager
def hooked(part: nn.Module, name: str, regions: Regions) -> Iterator[None]:
    """Let a module's forward pass be a part inside the block."""
    before = part.register_forward_pre_hook(lambda *_: regions.enter(name))
    after = part.register_forward_hook(lambda *_: regions.leave())
    yield
    before.remove()
    after.remove()


@contextmanager
def losing(criterion: nn.Module, regions: Regions) -> Iterator[None]:
    """Let the criterion be the part after which the backward pass begins."""
    before = criterion.register_forward_pre_hook(lambda *_: regions.switch(LOSSES))
    after = criterion.register_forward_hook(lambda *_: regions.switch(BACKWARD))
    yield
    before.remove()
    after.remove()


@contextmanager
def turning(trunk: nn.Module, regions: Regions) -> Iterator[None]:
    """Tell when the gradient of the trunk's output is known: its backward begins."""

    def watch_gradient(_: nn.Module, __: Any, output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda _: regions.switch(TRUNK_BACKWARD))

    after = trunk.register_forward_hook(watch_gradient)
    yield
    after.remove()


@contextmanager
def wrapped(owner: Any, attribute: str, name: str, regions: Regions) -> Iterator[None]:
    """Let the calls of a function of a module or class be a part inside the block."""
    was_own, function = attribute in vars(owner), getattr(owner, attribute)

    def call(*args: Any, **kwargs: Any) -> Any:
        regions.enter(name)
        try:
            return function(*args, **kwargs)
        finally:
            regions.leave()

    setattr(owner, attribute, call)
    try:
        yield
    finally:
        if was_own:
            setattr(owner, attribute, function)
        else:
            delattr(owner, attribute)


def is_capturing() -> bool:
    """Tell whether a CUDA graph is being recorded: no time passes there."""
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
