"""Training of TEMI: a student, the teacher that follows it, and their loss."""

from __future__ import annotations

import copy
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from invariant_cluster.losses import pair_agreement, pair_information
from invariant_cluster.training._scan import HeadsNet, ScanNet
from invariant_cluster.training._term_net import TermNet

_PRIOR_MOMENTUM = 0.9
_TINY = 1e-8


class TeacherNet(TermNet):
    """Net with a teacher, the exponential moving average of its module.

    Parameters
    ----------
    *args
        Positional arguments of :class:`TermNet`.
    teacher_momentum : float, default=0.996
        Share of the teacher that stays in each step, from 0 to 1.
    **kwargs
        Keyword arguments of :class:`TermNet`.

    Attributes
    ----------
    teacher_ : nn.Module
        Copy of the module; it has no gradient.

    See Also
    --------
    TemiHeadsNet : Train heads with a teacher.
    TemiNet : Train encoder and heads with a teacher.
    """

    def __init__(
        self, *args: Any, teacher_momentum: float = 0.996, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.teacher_momentum = teacher_momentum

    def initialize_module(self) -> Self:
        """Make the module, and the teacher as a copy of it.

        Returns
        -------
        TeacherNet
            The net itself.
        """
        super().initialize_module()
        self.teacher_ = copy.deepcopy(self.module_).requires_grad_(False)
        return self

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Return log-probabilities of student and teacher.

        Parameters
        ----------
        x : Tensor of shape (2 b, d) or (2 b, c, h, w)
            Rows of z or raw images: anchors, then their neighbours.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        student, teacher : Tensor of shape (n_heads, 2 b, n_clusters)
            Log-probabilities; those of the teacher have no gradient.
        """
        return super().infer(x), self.teacher_(x.to(self.device))

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Train the module for one step; the teacher follows.

        Parameters
        ----------
        batch : (Tensor, Tensor)
            Rows and an empty target.
        **fit_params
            Passed to ``infer``.

        Returns
        -------
        dict
            As in :class:`TermNet`.
        """
        step = super().train_step(batch, **fit_params)
        follow(self.teacher_, self.module_, self.teacher_momentum)
        return cast(dict[str, Any], step)

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
        """Move the teacher to the CPU, as :func:`train` moves the module."""
        self.teacher_.to("cpu")
        self.criterion_.to("cpu")


class TemiHeadsNet(TeacherNet, HeadsNet):
    """Net that trains the heads of a ``ScanModule`` on rows of z, with a teacher.

    See Also
    --------
    TemiNet : Train encoder and heads on images.
    TemiObjective : The loss of this net.
    """


class TemiNet(TeacherNet, ScanNet):
    """Net that trains a ``ScanModule`` on augmented images, with a teacher.

    The student sees augmented images, the teacher the images as they are.

    See Also
    --------
    TemiHeadsNet : Train the heads alone.
    TemiObjective : The loss of this net.
    """


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move a teacher towards its student.

    Parameters
    ----------
    teacher : nn.Module
        Changed in place: its parameters become ``m teacher + (1 - m) student``, its
        buffers those of the student.
    student : nn.Module
        Module of the same shape.
    momentum : float
        Share m of the teacher that stays.
    """
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)
    for stale, new in zip(teacher.buffers(), student.buffers(), strict=True):
        stale.copy_(new)


class TemiObjective(nn.Module):
    """Loss of TEMI: minus the mutual information of pairs, weighted by agreement.

    For a pair (x, x'), the student's probabilities s and the teacher's t, a head's loss
    is ``-w(x, x') (pmi(x, x') + pmi(x', x)) / 2`` with ``pmi(x, x') = log sum_c (s_c(x)
    t_c(x'))^beta / m_c`` and ``w(x, x') = mean_h <t_h(x), t_h(x')>``. The losses of the
    heads are summed.

    Parameters
    ----------
    beta : float
        Power of the probabilities.
    n_heads : int
        Number of heads.
    n_clusters : int
        Number of clusters.

    Attributes
    ----------
    prior : Tensor of shape (n_heads, n_clusters)
        Running mean m of the teacher's probabilities, with momentum 0.9. It starts
        uniform and changes in training mode.

    See Also
    --------
    pair_information : Return pmi.
    pair_agreement : Return w.

    References
    ----------
    N. Adaloglou et al., "Exploring the limits of deep image clustering using pretrained
    models", BMVC 2023.
    """

    prior: Tensor

    def __init__(self, beta: float, n_heads: int, n_clusters: int) -> None:
        super().__init__()
        self.beta = beta
        self.register_buffer("prior", torch.full((n_heads, n_clusters), 1 / n_clusters))

    def forward(
        self, log_probabilities: tuple[Tensor, Tensor], _: object = None
    ) -> dict[str, Tensor]:
        """Return the loss and its terms.

        Parameters
        ----------
        log_probabilities : (Tensor, Tensor), each of shape (n_heads, 2 b, n_clusters)
            Log-probabilities by student and by teacher of the anchors, then of their
            neighbours.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss", summed over heads; "information", the mean pmi over heads and pairs;
            "agreement", the mean weight of a pair.
        """
        student, teacher = log_probabilities
        if self.training:
            self.prior.lerp_(teacher.exp().mean(dim=1), 1 - _PRIOR_MOMENTUM)
        partners = teacher.roll(teacher.shape[1] // 2, dims=1)
        weight = pair_agreement(teacher, partners)
        log_prior = self.prior.clamp_min(_TINY).log()
        information = pair_information(student, partners, log_prior, self.beta)
        return {
            "loss": -(weight * information).mean(dim=1).sum(),
            "information": information.mean(),
            "agreement": weight.mean(),
        }
