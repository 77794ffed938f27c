"""What one process and two of torchrun measure alike; the tests compare the files.

    torchrun --nproc-per-node 2 tests/training/together.py FOLDER

Each process writes FOLDER/RANK.pickle. Views are functions of the image, so that only
the division of the batch differs.
"""

import copy
import os
import pickle
import sys
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback, EarlyStopping
from torch import Tensor, nn

from invariant_cluster import IRLINREmbedder, SCANClusterer, SimCLREmbedder
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.modules import ClusterHeads, ResNet18, ScanModule
from invariant_cluster.training import (
    IRLINRNet,
    ScanNet,
    ScanObjective,
    SelfLabelNet,
    SelfLabelObjective,
    SimCLRNet,
    TemiNet,
    TemiObjective,
    TermNet,
    current_team,
    from_first,
    join_team,
    make_net,
    train,
)
from invariant_cluster.training._processes import add_gradients
from invariant_cluster.training._synced_norm import synchronized_norms
from invariant_cluster.views import Augmentation

IMAGES = load_oriented_digits().images[:16]
NEIGHBORS = (np.arange(16)[:, None] + 5) % 16
TINY = {
    "d": 6,
    "encoder_width": 2,
    "max_epochs": 2,
    "batch_size": 8,
    "precision": "float32",
    "device": "cpu",
}
TINY_INR = {
    **TINY,
    "n_frequencies": 4,
    "inr_hidden": (4,),
    "hypernetwork_hidden": (4,),
    "n_pixels": None,
}


def smooth_trunk(n_channels):
    """A trunk without kinks, at which rounding changes gradients by jumps."""
    return nn.Sequential(
        nn.Conv2d(n_channels, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.Conv2d(4, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.Tanh(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


class StillIRLINR(IRLINRNet):
    """Copies are turned by 90 and by 180 degrees."""

    def infer(self, x, **_):
        images = self.module_.encoder.aligner.scale(x)
        copies = [images.rot90(turns, (2, 3)) for turns in range(3)]
        seen = self.module_.encoder.aligner(torch.cat(copies))
        return self.module_.forward_views(seen, None, 2)


class StillSimCLR(SimCLRNet):
    """Views are turned by 90 degrees."""

    def infer(self, x, **_):
        images = self.module_.encoder.aligner.scale(x)
        return self.module_.forward_views(torch.cat([images, images.rot90(1, (2, 3))]))


class Still:
    """Views are the images."""

    def augmented(self, images):
        return self.module_.forward_aligned(self.module_.encoder.aligner(images))


class StillScan(Still, ScanNet):
    pass


class StillSelfLabel(Still, SelfLabelNet):
    pass


class StillTemi(Still, TemiNet):
    pass


class Outputs(NamedTuple):
    rows: Tensor
    scale: Tensor
    name: str


class Mixed(nn.Module):
    """A module of the user's, with a value for the batch beside the rows."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        rows = self.linear(x)
        return Outputs(rows, rows.square().mean(), "mixed")


class MixedObjective(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, outputs, _):
        assert outputs.name == "mixed"
        spread = outputs.rows.var(dim=0).sum()
        return {"loss": self.weight * spread + outputs.scale}


class KeepGradients(Callback):
    def on_grad_computed(self, net, named_parameters, **_):
        self.gradients = {
            name: parameter.grad.clone().numpy()
            for name, parameter in named_parameters
            if parameter.grad is not None
        }


def settings(**changes):
    fixed = {
        "lr": 1e-3,
        "weight_decay": 0.0,
        "max_epochs": 1,
        "batch_size": 16,
        "device": torch.device("cpu"),
    }
    return fixed | changes


def first_step(net_class, module, objective, rows, neighbors=None, **options):
    """Return the gradients, the losses and the state after a step on all rows."""
    keep = KeepGradients()
    net = make_net(
        net_class, module, objective, **settings(callbacks=[keep]), **options
    )
    train(net, rows, neighbors)
    terms = dict(net.history[-1]["batches"][0])
    return {
        "gradients": keep.gradients,
        "loss": terms["train_loss"],
        "state": {k: v.numpy() for k, v in net.module_.state_dict().items()},
        "criterion": {k: v.numpy() for k, v in net.criterion_.state_dict().items()},
        "changed": [
            k for m in net.module_.modules() for k in vars(m) if k == "forward"
        ],
        "attributes": sorted(vars(net)),
    }


def embedders():
    torch.manual_seed(0)
    changes = {"encoder": smooth_trunk, "max_epochs": 1, "random_state": 0}
    return (
        IRLINREmbedder(**TINY_INR | changes).fit(IMAGES),
        SimCLREmbedder(**TINY | changes, projection_dim=4).fit(IMAGES),
    )


def steps():
    """Return the first step of every kind of net, from the same weights."""
    found = {}
    inr, simclr = alone(embedders)
    images = IMAGES[:, None]
    for name, net_class, fitted, options in (
        ("IRL-INR", StillIRLINR, inr, {}),
        ("SimCLR", StillSimCLR, simclr, {"augmentation": Augmentation("D")}),
    ):
        objective = fitted.net_.criterion_
        module = copy.deepcopy(fitted.net_.module_)
        found[name] = first_step(net_class, module, objective, images, **options)
    torch.manual_seed(1)
    heads = ClusterHeads(torch.zeros(6), 1.0, torch.randn(2, 3, 6))
    one_head = ClusterHeads(torch.zeros(6), 1.0, torch.randn(1, 3, 6))
    for name, net_class, head, objective, near in (
        ("SCAN", StillScan, heads, ScanObjective(2.0), NEIGHBORS),
        ("self", StillSelfLabel, one_head, SelfLabelObjective(0.34), None),
        ("TEMI", StillTemi, heads, TemiObjective(0.9, 2, 3), NEIGHBORS),
    ):
        module = ScanModule(copy.deepcopy(inr.encoder_), copy.deepcopy(head))
        found[name] = first_step(
            net_class, module, objective, images, near, augmentation=Augmentation("D")
        )
    torch.manual_seed(2)
    rows = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
    found["own"] = first_step(TermNet, Mixed(), MixedObjective(), rows)
    # Of 15 rows, two processes take seven each.
    torch.manual_seed(2)
    found["odd"] = first_step(TermNet, Mixed(), MixedObjective(), rows[:15])
    return found


def alone(work):
    """Return what a thread returns: it does not join the other processes."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def fit_pipeline(random_state):
    """Fit both estimators; return what must be the same in all processes."""
    pipe = make_pipeline(
        IRLINREmbedder(**TINY_INR, random_state=random_state, verbose=1),
        SCANClusterer(
            3,
            n_neighbors=2,
            n_heads=2,
            max_epochs=2,
            fine_tune_max_epochs=2,
            batch_size=8,
            self_label=True,
            self_label_max_epochs=1,
            n_rounds=2,
            device="cpu",
            precision="float32",
            random_state=random_state,
        ),
    ).fit(IMAGES)
    embedder, clusterer = pipe
    more = copy.deepcopy(embedder).set_params(warm_start=True, max_epochs=1).fit(IMAGES)
    return {
        "z": np.asarray(embedder.transform(IMAGES)),
        "labels": clusterer.labels_,
        "p": clusterer.probabilities_,
        "neighbors": clusterer.neighbors_,
        "loss": embedder.history_["loss"].to_numpy(),
        "warm": np.asarray(more.transform(IMAGES)),
        "stages": clusterer.history_["loss"].to_numpy(),
        "score": embedder.score(IMAGES),
    }


def fit_embedder(random_state):
    """Fit the embedder alone; return its z and its losses."""
    embedder = IRLINREmbedder(**TINY_INR, random_state=random_state, verbose=1)
    z = np.asarray(embedder.fit_transform(IMAGES))
    return {"z": z, "loss": embedder.history_["loss"].to_numpy()}


def error_of(work):
    """Return the class and the text of the error that work raises."""
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        return type(error).__name__, str(error)
    return None


def fail(reason):
    raise ValueError(reason)


class PressCtrlC(Callback):
    def on_epoch_end(self, net, **_):
        raise KeyboardInterrupt


def stop_early():
    """Return after how many epochs of nine a loss that hardly falls stops training."""
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0)
    changes = {"max_epochs": 9, "callbacks": [stop], "random_state": 0}
    return IRLINREmbedder(**TINY_INR | changes).fit(IMAGES).n_iter_


def interrupt():
    """Return the error of Ctrl-C, and whether anything is left of the fit."""
    embedder = IRLINREmbedder(**TINY_INR, callbacks=[PressCtrlC()])
    return error_of(lambda: embedder.fit(IMAGES)), hasattr(embedder, "net_")


def errors(rank):
    """Return the errors that every process must raise."""
    brief = TINY_INR | {"max_epochs": 1}
    own = IMAGES[rank * 4 : rank * 4 + 8]
    fitted = make_pipeline(IRLINREmbedder(**brief), SCANClusterer(2, n_neighbors=2))
    return {
        "odd": error_of(
            lambda: IRLINREmbedder(**brief | {"batch_size": 5}).fit(IMAGES)
        ),
        "two": error_of(
            lambda: IRLINREmbedder(**brief | {"batch_size": 2}).fit(IMAGES)
        ),
        "few": error_of(lambda: IRLINREmbedder(**brief).fit(IMAGES[:3])),
        "scan": error_of(
            lambda: fitted.set_params(scanclusterer__batch_size=7).fit(IMAGES)
        ),
        "rows": error_of(lambda: IRLINREmbedder(**brief).fit(own)),
        "lr": error_of(lambda: IRLINREmbedder(**brief, lr=1e30).fit(IMAGES)),
        "first": error_of(lambda: from_first(lambda: fail(f"process {rank}"))),
    }


def resnet_step(rank, size):
    """Return the gradients of ResNet18 in float64, summed over all processes."""
    torch.manual_seed(0)
    net = ResNet18(1, 2).double()
    images = torch.rand(12, 1, 16, 16, dtype=torch.float64)
    targets = torch.rand(12, net.n_features, dtype=torch.float64)
    with synchronized_norms(net) if size > 1 else nullcontext():
        (net(images[rank::size]) * targets[rank::size]).sum().backward()
    if size > 1:
        add_gradients(net.parameters())
    found = {name: value.grad.numpy() for name, value in net.named_parameters()}
    return found | {name: value.numpy() for name, value in net.named_buffers()}


def children():
    """Return the teams of processes that joblib starts."""
    return Parallel(n_jobs=2)(delayed(join_team)("cpu") for _ in range(2))


def search():
    """Return the scores of a search over d."""
    embedder = IRLINREmbedder(**TINY_INR | {"max_epochs": 1}, random_state=0)
    grid = GridSearchCV(embedder, {"d": [2, 4]}, cv=2)
    grid.fit(IMAGES)
    return grid.cv_results_["mean_test_score"]


def measure():
    """Return everything that the tests compare."""
    rank, size = join_team("cpu")
    # Other numbers in each process, which random_state=None would draw from.
    np.random.seed(10 + rank)  # noqa: NPY002
    return {
        "team": (rank, size),
        "thread": alone(current_team),
        "steps": steps(),
        "fit": fit_pipeline(0),
        "again": fit_embedder(0),
        "unseeded": fit_embedder(None),
        "errors": errors(rank) if size > 1 else {},
        "search": search(),
        "stopped": stop_early(),
        "interrupted": interrupt(),
        "children": children() if rank == 0 and size > 1 else None,
        "resnet": resnet_step(rank, size),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = measure()
    path = Path(sys.argv[1]) / f"{os.environ['RANK']}.pickle"
    path.write_bytes(pickle.dumps(found))
