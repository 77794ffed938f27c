"""Training of networks with skorch; criteria return named loss terms."""

from invariant_cluster.training._callbacks import check_callbacks
from invariant_cluster.training._history import history_frame
from invariant_cluster.training._irlinr import IRLINRNet, IRLINRObjective
from invariant_cluster.training._long_fit import LongFitWarning
from invariant_cluster.training._loop import (
    finish,
    make_net,
    move_net,
    resting_net,
    train,
)
from invariant_cluster.training._mean_loss import mean_loss
from invariant_cluster.training._processes import (
    Team,
    check_shares,
    current_team,
    from_first,
    gathered,
    join_team,
    shared_seed,
)
from invariant_cluster.training._progress import TrainingProgress
from invariant_cluster.training._rows import (
    ImageRows,
    NeighborPairs,
    count_batches,
    count_epochs,
    keep_batch,
    keep_near,
)
from invariant_cluster.training._scan import (
    HeadsNet,
    ScanNet,
    ScanObjective,
    SelfLabelNet,
    SelfLabelObjective,
)
from invariant_cluster.training._simclr import SimCLRNet, SimCLRObjective
from invariant_cluster.training._stages import Stage, StageRun, run_stages
from invariant_cluster.training._temi import TemiHeadsNet, TemiNet, TemiObjective
from invariant_cluster.training._term_net import TermNet
from invariant_cluster.training._vae import ELBOObjective, VAENet

__all__ = [
    "ELBOObjective",
    "HeadsNet",
    "IRLINRNet",
    "IRLINRObjective",
    "ImageRows",
    "LongFitWarning",
    "NeighborPairs",
    "ScanNet",
    "ScanObjective",
    "SelfLabelNet",
    "SelfLabelObjective",
    "SimCLRNet",
    "SimCLRObjective",
    "Stage",
    "StageRun",
    "Team",
    "TemiHeadsNet",
    "TemiNet",
    "TemiObjective",
    "TermNet",
    "TrainingProgress",
    "VAENet",
    "check_callbacks",
    "check_shares",
    "count_batches",
    "count_epochs",
    "current_team",
    "finish",
    "from_first",
    "gathered",
    "history_frame",
    "join_team",
    "keep_batch",
    "keep_near",
    "make_net",
    "mean_loss",
    "move_net",
    "resting_net",
    "run_stages",
    "shared_seed",
    "train",
]
