"""Placeholder of a part that a saved model lacks."""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn.exceptions import NotFittedError
from torch import nn


class LeftOut(nn.Module):
    """Placeholder of a missing part; raises an error when it is called.

    Parameters
    ----------
    name : str
        Name of the missing part, such as "decoder".
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, *_: Any, **__: Any) -> NoReturn:
        """Raise an error that names the missing part and the remedy.

        Raises
        ------
        NotFittedError
            Always.
        """
        raise NotFittedError(
            f"This model was saved with encoder_only=True and has no {self.name}, "
            "which this method needs: save the fitted model with encoder_only=False."
        )
