"""Self-labelling (SCAN, section 2.3), undone if a cluster is lost."""

from __future__ import annotations

import copy
import warnings
from typing import cast

import numpy as np

from invariant_cluster.clusterers._heads import infer_heads
from invariant_cluster.modules import ScanModule
from invariant_cluster.training import Stage


class SelfLabellingStage(Stage):
    """A stage that restores the module if a cluster in use loses all its images."""

    def run(self) -> None:
        """Train the net; warn if the result before it was restored."""
        module = cast(ScanModule, self.net.module)
        before = copy.deepcopy(module.state_dict())
        used = self._clusters_of(module)
        try:
            super().run()
            lost = np.setdiff1d(used, self._clusters_of(module))
        except KeyboardInterrupt:  # whether a cluster was lost is not known
            module.load_state_dict(before)
            raise
        if len(lost):
            module.load_state_dict(before)
            warnings.warn(
                f"Self-labelling emptied cluster(s) {lost.tolist()}; the result before "
                "it was kept. Lower confidence_threshold or self_label_lr.",
                UserWarning,
                stacklevel=4,
            )

    def _clusters_of(self, module: ScanModule) -> np.ndarray:
        """Return the clusters that have images."""
        log_p = infer_heads(module, self.rows, self.net.device)
        return np.unique(log_p.argmax(axis=2))
