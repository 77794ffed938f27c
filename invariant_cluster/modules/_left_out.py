"""What stands where a saved model was left without a part."""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn.exceptions import NotFittedError
from torch import nn


class LeftOut(nn.Module):
    """Raises when the part is needed.

    Parameters
    ----------
    name : str
        Of the part, such as "decoder".
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, *_: Any, **__: Any) -> NoReturn:
        """Say what is missing."""
        raise NotFittedError(
            f"This model was saved with encoder_only=True, without its {self.name}, "
            "which this needs: save the whole."
        )
