"""What "auto" means for the stages of training: epochs and augmentation."""

from __future__ import annotations

from typing import Any

from invariant_cluster.runtime import resolve_device
from invariant_cluster.training import count_epochs
from invariant_cluster.views import Augmentation

_HEAD_STEPS, _LEAST_EPOCHS, _MOST_EPOCHS = 10_000, 20, 100
# Rows that heads need to see, each as often as it is seen: 20 epochs of 320,000 rows.
_HEAD_ROWS = 6_400_000
_TUNING_STEPS, _LEAST_TUNING_EPOCHS, _MOST_TUNING_EPOCHS = 500, 2, 50


def count_head_epochs(max_epochs: int | str, n_rows: int, batch_size: int) -> int:
    """Return the epochs of the heads; "auto" is some steps, within bounds."""
    if not isinstance(max_epochs, str):
        return max_epochs
    least = min(_LEAST_EPOCHS, max(1, _HEAD_ROWS // n_rows))
    return count_epochs(n_rows, batch_size, _HEAD_STEPS, least=least, most=_MOST_EPOCHS)


def count_tuning_epochs(
    max_epochs: int | str, n_rows: int, batch_size: int, device: str
) -> int:
    """Return the epochs of fine-tuning; "auto" depends on the device."""
    if not isinstance(max_epochs, str):
        return max_epochs
    least, most = _LEAST_TUNING_EPOCHS, _MOST_TUNING_EPOCHS
    if resolve_device(device).type != "cpu":
        return most
    return count_epochs(n_rows, batch_size, _TUNING_STEPS, least=least, most=most)


def choose_augmentation(name: str, encoder: Any) -> Augmentation:
    """Return the augmentation; "auto" shifts and crops what may be translated."""
    if name != "auto":
        return Augmentation(name)
    return Augmentation("S1+R+T" if encoder.pose_rule.translates else "R")
