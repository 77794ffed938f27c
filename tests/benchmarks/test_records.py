"""Lines are written whole; a torn one is left out; what was run identifies a run."""

import json

import pytest

from benchmarks.records import (
    append,
    complete,
    describe,
    identity,
    newest,
    read,
    smoothing_of,
)
from invariant_cluster.embedders import PAPER_RECIPE


def make_record(**changes):
    record = {
        "date": "2026-01-01T00:00:00+00:00",
        "method": "IRL-INR + SCAN",
        "dataset": "mnist-u",
        "scale": "small",
        "seed": 0,
        "parameters": {"embedder": {"d": 32}},
        "metrics": {"test_accuracy": 0.5},
    }
    return record | changes


def test_lines_come_back(tmp_path):
    records = [make_record(), make_record(seed=1)]
    for record in records:
        append(tmp_path / "results", record)
    assert read(tmp_path / "results" / "mnist-u.jsonl") == records
    assert read(tmp_path / "none.jsonl") == []


def test_a_torn_line_is_left_out_with_a_warning(tmp_path):
    path = tmp_path / "mnist-u.jsonl"
    append(tmp_path, make_record())
    with path.open("a") as file:
        file.write(json.dumps(make_record(seed=1))[:40])
    with pytest.warns(UserWarning, match=r"mnist-u\.jsonl, line 2, is torn"):
        assert read(path) == [make_record()]
    append(tmp_path, make_record(seed=2))
    with pytest.warns(UserWarning, match="line 2"):
        assert read(path) == [make_record(), make_record(seed=2)]


def make_scan(**parameters):
    return make_record(parameters={"clusterer": parameters})


@pytest.mark.parametrize(
    ("older", "known"),
    [
        (
            {"fine_tune": True, "lr": 0.001},
            {
                "fine_tune": True,
                "fine_tune_lr": 0.001,
                "lr": 0.03,
                "max_epochs": 100,
                "heads_first": False,
                "n_rounds": 1,
            },
        ),
        (
            {"fine_tune": False, "lr": 0.001, "max_epochs": 10, "augmentation": "R"},
            {"fine_tune": False, "lr": 0.03, "max_epochs": 10},
        ),
        (
            {
                "fine_tune": True,
                "head_lr": 0.1,
                "head_max_epochs": 5,
                "heads_first": True,
                "lr": 0.001,
                "max_epochs": 6,
            },
            {
                "fine_tune": True,
                "fine_tune_lr": 0.001,
                "fine_tune_max_epochs": 6,
                "lr": 0.1,
                "max_epochs": 5,
                "n_rounds": 1,
            },
        ),
        ({"n_init": 10}, {"n_init": 10}),
    ],
)
def test_parameters_that_were_none_yet_have_the_values_they_ran_with(
    tmp_path, older, known
):
    append(tmp_path, make_scan(**older))
    (record,) = read(tmp_path / "mnist-u.jsonl")
    assert record == make_scan(**known)
    append(tmp_path, record)
    assert read(tmp_path / "mnist-u.jsonl")[1] == record


def test_identity_is_what_was_run():
    other = make_record(date="later", metrics={}, machine="another")
    assert identity(make_record()) == identity(other)
    for changes in (
        {"seed": 1},
        {"scale": "tiny"},
        {"method": "IRL-INR + k-means"},
        {"parameters": {"embedder": {"d": 64}}},
    ):
        assert identity(make_record(**changes)) != identity(make_record())


def test_circumstances_are_no_parameters():
    described = describe({"d": 8, "callbacks": [object()], "device": "cuda", "w": (1,)})
    assert described == {"d": 8, "w": [1]}


def test_the_newest_of_an_identity_counts():
    late = make_record(date="2026-02-01T00:00:00+00:00", metrics={})
    assert newest([late, make_record()]) == [late]


@pytest.mark.parametrize("part", ["features", "scattering"])
def test_scattering_of_earlier_code_had_no_turned_copies(part):
    record = {"parameters": {part: {"n_scales": "auto"}}}
    assert complete(record)["parameters"][part] == {"n_scales": "auto", "n_turns": 0}
    today = {"parameters": {part: {"n_scales": "auto", "n_turns": 2}}}
    assert complete(today)["parameters"][part]["n_turns"] == 2
    polar = {"parameters": {part: {"n_radii": 16}}}
    assert complete(polar)["parameters"][part] == {"n_radii": 16}


def test_records_of_before_irlinr_could_take_one_copy_had_two():
    record = {"parameters": {"embedder": {"consistency": "nt_xent"}}}
    assert complete(record)["parameters"]["embedder"]["n_copies"] == 2
    one = {"parameters": {"embedder": {"consistency": "nt_xent", "n_copies": 1}}}
    assert complete(one)["parameters"]["embedder"]["n_copies"] == 1
    rival = {"parameters": {"embedder": {"d": 32}}}
    assert complete(rival)["parameters"]["embedder"] == {"d": 32}


def test_the_paper_smoothed_nothing():
    recipe = {k: v for k, v in PAPER_RECIPE.items() if k != "smoothing"}
    assert smoothing_of({**recipe, "d": 512}) == 0
    assert smoothing_of({**recipe, "lr": 1e-3}) == "auto"
    assert smoothing_of({"align": "auto"}) == "auto"
