"""The script: runs become lines, lines are not made twice, no line names a place."""

import json

import pytest

from benchmarks import paper
from benchmarks.plans import make_embedder
from benchmarks.records import read
from benchmarks.runs import Bench
from benchmarks.scales import DATASETS, SCALES, get_settings
from benchmarks.tables import LEARNED, TABLES, Row
from invariant_cluster import IRLINREmbedder, SCANClusterer

OURS = ("--features", "IRL-INR")


@pytest.fixture
def run_table(data_folder, tmp_path, capsys):
    """Return what runs a table, and then its lines and what it printed."""

    def run(table, *options, dataset="plankton"):
        places = {
            "--data": data_folder,
            "--results": tmp_path / "results",
            "--checkpoints": tmp_path / "checkpoints",
        }
        given = {"--dataset": dataset, "--scale": "smoke", "--seeds": "0"} | places
        pairs = [str(part) for pair in given.items() for part in pair]
        paper.main([table, *pairs, "--device", "cpu", *options])
        return read(tmp_path / "results" / f"{dataset}.jsonl"), capsys.readouterr().out

    return run


def test_a_run_is_a_line_and_is_not_repeated_unless_forced(run_table):
    first, _ = run_table("scan", *OURS)
    assert len(first) == 1
    again, printed = run_table("3", *OURS)
    assert again == first
    assert "already there" in printed
    forced, _ = run_table("scan", "--force", *OURS)
    assert len(forced) == 2
    assert forced[1]["metrics"] == first[0]["metrics"]
    assert not forced[1]["reused_embedding"]


def test_a_line_holds_all_that_is_needed_and_no_place(run_table, data_folder, tmp_path):
    record = run_table("scan", *OURS)[0][0]
    metrics = record["metrics"]
    for part in ("train", "test"):
        for name in ("accuracy", "nmi", "ari"):
            assert -1 <= metrics[f"{part}_{name}"] <= 1
    assert 0 <= metrics["purity"] <= 1
    assert set(record["losses"]) == {"embedder", "clusterer"}
    assert set(record["seconds"]) == {"embed", "transform", "cluster"}
    assert record["peak_memory_mib"]["process"] > 0
    assert record["machine"]["torch"]
    embedder = set(IRLINREmbedder().get_params()) - set(
        record["parameters"]["embedder"]
    )
    watched = {"callbacks", "device", "random_state", "verbose"}
    assert embedder == watched | {"network", "warm_start"}
    clusterer = set(SCANClusterer().get_params())
    assert clusterer - set(record["parameters"]["clusterer"]) == watched
    line = json.dumps(record)
    assert str(data_folder) not in line
    assert str(tmp_path) not in line
    assert str(paper.HERE.parent) not in line


def test_tables_share_an_embedding(run_table, tmp_path):
    run_table("scan-frozen", *OURS)
    records, _ = run_table("embedding", *OURS)
    assert [record["reused_embedding"] for record in records] == [False, *[True] * 3]
    assert len({record["seconds"]["embed"] for record in records}) == 1
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_agglomerative_clustering_sees_test_images_alone(run_table):
    records, _ = run_table("embedding", *OURS)
    metrics = {record["method"]: record["metrics"] for record in records}
    ward = metrics["IRL-INR + agglomerative"]
    assert ward["train_accuracy"] is None
    assert ward["test_accuracy"] > 0


@pytest.mark.parametrize("dataset", ["mnist-u", "cryo", "wm811k"])
def test_pose_records(run_table, dataset):
    records, _ = run_table("pose", *OURS, dataset=dataset)
    found = [
        (record["method"], record["parameters"]["embedder"]["align"])
        for record in records
    ]
    assert found == [
        ("learned pose", "auto"),
        ("analytic pose", "auto"),
        ("learned pose", False),
    ]
    analytic = records[1]["metrics"]
    assert analytic["rotation_circular"] > 0.8
    assert analytic["rotation_error_degrees"] < 20
    if dataset != "wm811k":
        assert analytic["translation_x"] > 0.98
        assert analytic["translation_y"] > 0.98
    else:
        assert "translation_x" not in analytic
    if dataset == "cryo":
        assert analytic["truth_rotation_circular"] > 0.9
        assert analytic["truth_translation_error_pixels"] < 0.5


def test_every_embedder_has_rows_of_its_own(run_table):
    records, _ = run_table("scan")
    assert [record["method"] for record in records] == [
        f"{name} + SCAN" for name in LEARNED
    ]
    networks = [record["parameters"]["embedder"] for record in records]
    assert len({tuple(network) for network in networks}) == len(LEARNED)
    assert not any(record["reused_embedding"] for record in records)


def test_rivals_poses_are_measured(run_table):
    records, _ = run_table("pose", "--features", "TARGET-VAE", "Spatial-VAE")
    assert [record["method"] for record in records] == [
        "TARGET-VAE, learned pose",
        "Spatial-VAE, learned pose",
    ]
    assert all(-1 <= r["metrics"]["rotation_circular"] <= 1 for r in records)


def test_features_that_a_table_lacks_are_named(run_table):
    with pytest.raises(SystemExit, match="SimCLR: table dimension has IRL-INR"):
        run_table("dimension", "--features", "SimCLR")


def test_steps_are_chosen_and_those_that_a_table_lacks_are_named(run_table):
    records, _ = run_table("joint", "--steps", "20-neighbour vote", *OURS)
    assert [record["method"] for record in records] == ["IRL-INR + 20-neighbour vote"]
    with pytest.raises(SystemExit, match=r"--steps SCAN!: table joint has .*, TEMI"):
        run_table("joint", "--steps", "SCAN!")


def test_joint_rows_share_a_trained_embedder(run_table, tmp_path):
    records, _ = run_table("joint", dataset="cells")
    by_method = {record["method"]: record for record in records}
    joint = by_method["IRL-INR and scattering + SCAN"]
    assert joint["parameters"]["scattering"]["invariance"].endswith("reflection")
    assert joint["seconds"]["scattering"] > 0
    assert joint["losses"]["embedder"]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    probe = by_method["IRL-INR and scattering + logistic regression"]
    assert probe["metrics"]["train_accuracy"] > joint["metrics"]["train_accuracy"] - 0.1


def test_classical_rows_on_color_images(run_table):
    records, _ = run_table("classical", dataset="galaxy-zoo")
    assert {record["method"] for record in records} >= {
        "raw pixels + k-means",
        "Zernike + mixture",
    }
    assert all("embedder" not in record["parameters"] for record in records)


def test_table_8_leaves_out_the_nines(run_table, tmp_path):
    run_table("8", *OURS)
    record = read(tmp_path / "results" / "mnist-u-no9.jsonl")[0]
    assert record["parameters"]["clusterer"]["n_clusters"] == 9


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_valid_parameters(dataset, scale):
    settings = get_settings(dataset, scale)
    assert set(settings.data) == {"side", "n_train", "n_test"}
    for name in LEARNED:
        make_embedder(settings, Row(name, "k-means"))._validate_params()
    SCANClusterer(2, **settings.clusterer)._validate_params()


def test_a_failure_names_its_run_and_keeps_what_was_done(run_table, monkeypatch):
    measure, rows = Bench.has, TABLES["embedding"]()

    def fail_at_second(bench, planned):
        if planned["method"] == rows[1].method:
            raise RuntimeError("broken")
        return measure(bench, planned)

    monkeypatch.setattr(Bench, "has", fail_at_second)
    with pytest.raises(RuntimeError) as caught:
        run_table("embedding", *OURS)
    assert "plankton, smoke, IRL-INR + agglomerative" in caught.value.__notes__[0]
    monkeypatch.undo()
    records, printed = run_table("embedding", *OURS)
    assert printed.count("already there") == 1
    assert len(records) == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scan", "--data", "/no/such/folder"], "Give the folder that holds it"),
        (["scan", "--data", "{empty}"], "mnist.npz was not found"),
        (["scan", "--data", "{data}", "--device", "abacus"], "device='abacus'"),
    ],
)
def test_bad_places_are_one_line(arguments, told, data_folder, tmp_path):
    filled = [part.format(empty=tmp_path, data=data_folder) for part in arguments]
    with pytest.raises(SystemExit) as caught:
        paper.main(filled)
    message = str(caught.value)
    assert message.startswith("benchmarks.paper: ")
    assert told in message
    assert "\n" not in message


def test_an_unknown_data_set_lists_the_known(capsys):
    with pytest.raises(SystemExit):
        paper.main(["scan", "--dataset", "cats"])
    assert "galaxy-zoo" in capsys.readouterr().err
