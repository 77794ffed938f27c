"""A training that was interrupted ends as one that was not."""

import pytest
import torch
from skorch.callbacks import Callback

from benchmarks.checkpoints import ResumeTraining


class Break(Callback):
    """Fails, or interrupts, in the middle of an epoch."""

    def __init__(self, epoch, error):
        self.epoch = epoch
        self.error = error

    def on_batch_end(self, net, **_):
        if len(net.history) == self.epoch:
            raise self.error


class BreakStage(Break):
    """Fails in the third epoch of one stage of many, known by its number."""

    def __init__(self, number):
        super().__init__(3, RuntimeError("killed"))
        self.number = number

    def on_train_begin(self, net, **_):
        self.n_stages_ = getattr(self, "n_stages_", 0) + 1

    def on_batch_end(self, net, **_):
        if self.n_stages_ == self.number:
            super().on_batch_end(net)


def same_weights(first, second):
    ours, theirs = first.module_.state_dict(), second.module_.state_dict()
    assert list(ours) == list(theirs)
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def train_with_break(make, fit, path, error):
    """Return an estimator that was interrupted in epoch 3 and then resumed."""
    callbacks = [ResumeTraining(path, every_seconds=0), Break(3, error)]
    with pytest.raises(type(error)):
        fit(make(max_epochs=4, callbacks=callbacks))
    torch.manual_seed(99)  # a new process has other generators
    resumed = make(max_epochs=4, callbacks=[ResumeTraining(path, every_seconds=0)])
    return fit(resumed)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("killed")])
def test_embedder_resumes(make_embedder, images, tmp_path, error):
    def fit(embedder):
        return embedder.fit(images)

    straight = fit(make_embedder(max_epochs=4))
    resumed = train_with_break(make_embedder, fit, tmp_path / "run", error)
    assert same_weights(resumed.net_, straight.net_)
    losses = straight.history_.drop(columns="seconds")
    assert resumed.history_.drop(columns="seconds").equals(losses)
    assert resumed.net_.max_epochs == 4


def test_clusterer_resumes_in_its_last_stage(
    make_embedder, make_clusterer, images, tmp_path
):
    z = make_embedder().fit_transform(images)

    def fit(clusterer):
        clusterer.set_params(self_label=True, self_label_max_epochs=4)
        clusterer.set_params(confidence_threshold=0.01)
        return clusterer.fit(z)

    straight = fit(make_clusterer(fine_tune_max_epochs=2))
    path = tmp_path / "run"
    stage = [ResumeTraining(path, every_seconds=0), Break(3, RuntimeError("killed"))]
    with pytest.raises(RuntimeError):
        fit(make_clusterer(fine_tune_max_epochs=2, callbacks=stage))
    assert len(list(tmp_path.iterdir())) == 3  # a file for each stage
    resume = ResumeTraining(path, every_seconds=0)
    resumed = fit(make_clusterer(fine_tune_max_epochs=2, callbacks=[resume]))
    assert same_weights(resumed.net_, straight.net_)
    assert (resumed.labels_ == straight.labels_).all()


def test_clusterer_resumes_in_a_later_round(
    make_embedder, make_clusterer, images, tmp_path
):
    z = make_embedder().fit_transform(images)
    rounds = {"fine_tune_max_epochs": 4, "n_rounds": 2}
    straight = make_clusterer(**rounds).fit(z)

    def make(*others):
        resume = ResumeTraining(tmp_path / "run", every_seconds=0)
        return make_clusterer(**rounds, callbacks=[resume, *others])

    with pytest.raises(RuntimeError):
        make(BreakStage(3)).fit(z)
    assert {path.name for path in tmp_path.iterdir()} == {
        "run-heads.pt",
        "run-fine-tuning.pt",
        "run-fine-tuning-2.pt",
    }
    resumed = make().fit(z)
    assert same_weights(resumed.net_, straight.net_)
    assert (resumed.labels_ == straight.labels_).all()


def test_stores_no_more_often_than_asked_but_always_the_end(
    make_embedder, images, tmp_path
):
    resume = ResumeTraining(tmp_path / "folder" / "run", every_seconds=3600)
    callbacks = [resume, Break(2, RuntimeError("killed"))]
    with pytest.raises(RuntimeError):
        make_embedder(max_epochs=3, callbacks=callbacks).fit(images)
    assert not (tmp_path / "folder").exists()
    fitted = make_embedder(max_epochs=3, callbacks=[resume]).fit(images)
    again = make_embedder(max_epochs=3, callbacks=[resume]).fit(images)
    assert same_weights(again.net_, fitted.net_)
    resume.discard()
    assert not (tmp_path / "folder").exists()
