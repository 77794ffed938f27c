"""Training steps of a GPU, recorded once as a CUDA graph and replayed.

A step launches some hundred kernels; a GPU finishes many of them sooner than Python
launches the next. A graph launches all of them at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import holding_kept

Step = Callable[[Tensor], Tensor]

# Before the recording, libraries choose algorithms and constants are made.
_STEPS_BEFORE = 3


class Recording:
    """A step as a CUDA graph: rows to loss terms and gradients, always in one place.

    Parameters
    ----------
    step : callable
        Runs the forward and backward pass for rows on the device; returns the loss
        terms.
    rows : Tensor of shape (n, ...)
        Rows of the shape that every step gets.
    parameters : list of Parameter
        Parameters, whose gradients the graph writes.

    Raises
    ------
    RuntimeError
        If the step waits for the device or reads from it.
    """

    def __init__(
        self, step: Step, rows: Tensor, parameters: list[nn.Parameter]
    ) -> None:
        self.rows = rows.clone()
        self.parameters = parameters
        self.places = _places(parameters)
        self.graph = torch.cuda.CUDAGraph()
        for parameter in parameters:
            parameter.grad = None
        # Tensors that the cache drops must live as long as the graph that reads them.
        with (
            holding_kept() as self.held,
            torch.cuda.graph(self.graph, capture_error_mode="thread_local"),
        ):
            self.terms = step(self.rows)
        self.gradients = [parameter.grad for parameter in parameters]

    def fits(self, rows: Tensor) -> bool:
        """Return whether the graph computes the step of these rows.

        Parameters
        ----------
        rows : Tensor of shape (n, ...)
            Rows of a step.

        Returns
        -------
        bool
            False if their shape differs, or a callback has moved, frozen or thawed a
            parameter since the recording.
        """
        is_alike = rows.shape == self.rows.shape and rows.dtype == self.rows.dtype
        return is_alike and self.places == _places(self.parameters)

    def replay(self, rows: Tensor) -> Tensor:
        """Run the step; set the gradients of the parameters.

        Parameters
        ----------
        rows : Tensor of shape (n, ...)
            Rows that fit.

        Returns
        -------
        Tensor of shape (n_terms,)
            Loss terms, on the device.
        """
        self.rows.copy_(rows, non_blocking=True)
        self.graph.replay()
        for parameter, gradient in zip(self.parameters, self.gradients, strict=True):
            parameter.grad = gradient
        return self.terms.clone()


class GraphedSteps:
    """The steps of a fit on a GPU: the first ones as they are, the others replayed.

    Parameters
    ----------
    step : callable
        As of a :class:`Recording`.
    parameters : list of Parameter
        Trained parameters.
    device : torch.device
        CUDA device of the parameters.

    Notes
    -----
    A step that cannot be recorded is run as it is, with a warning.
    """

    def __init__(
        self, step: Step, parameters: list[nn.Parameter], device: torch.device
    ) -> None:
        self.step = step
        self.parameters = parameters
        self.device = device
        self.recording: Recording | None = None
        self.n_before = _STEPS_BEFORE
        self.can_record = True

    def __call__(self, rows: Tensor) -> Tensor:
        """Run the forward and backward pass of a step.

        Parameters
        ----------
        rows : Tensor of shape (n, ...)
            Rows of the step, on any device.

        Returns
        -------
        Tensor of shape (n_terms,)
            Loss terms, on the device.
        """
        rows = rows.to(self.device, non_blocking=True)
        if self.recording is not None and not self.recording.fits(rows):
            self.recording, self.n_before = None, _STEPS_BEFORE
        if not self.can_record:
            return self.step(rows)
        if self.n_before > 0:
            self.n_before -= 1
            return self._run_aside(rows)
        if self.recording is None:
            self._record(rows)
        return self.recording.replay(rows) if self.recording else self.step(rows)

    def _run_aside(self, rows: Tensor) -> Tensor:
        """Run a step in another stream: the default one cannot be recorded."""
        present = torch.cuda.current_stream(self.device)
        aside = torch.cuda.Stream(self.device)
        aside.wait_stream(present)
        with torch.cuda.stream(aside):
            terms = self.step(rows)
        present.wait_stream(aside)
        return terms

    def _record(self, rows: Tensor) -> None:
        """Record the step, or warn and note that it cannot be."""
        generator = _generator_of(self.device)
        before = generator.clone_state()
        try:
            with torch.cuda.device(self.device):
                self.recording = Recording(self.step, rows, self.parameters)
        except RuntimeError as error:
            reason = str(error).splitlines()[0][:100]
            warnings.warn(
                f"A training step could not be recorded as a CUDA graph ({reason}): "
                "the steps run one by one, which is slower. Let the modules draw and "
                "compute on the device alone, without reading values from it.",
                RuntimeWarning,
                stacklevel=2,
            )
            self.can_record = False
            # A recording that fails can leave the generator waiting for its end.
            generator.graphsafe_set_state(before)
            for parameter in self.parameters:
                parameter.grad = None


def _generator_of(device: torch.device) -> torch.Generator:
    """Return the random generator of a GPU."""
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]


def _places(parameters: list[nn.Parameter]) -> list[tuple[int, bool]]:
    """Return where parameters lie in memory, and which are trained."""
    return [(p.data_ptr(), p.requires_grad) for p in parameters]
