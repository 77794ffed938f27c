"""The page follows from the lines, whatever their order, and leaves none out."""

import random

import pytest

from benchmarks import levers, overview, report
from benchmarks.plans import plan_run
from benchmarks.published import ACCURACIES
from benchmarks.records import append
from benchmarks.summaries import summarize
from benchmarks.tables import TABLES, Row
from invariant_cluster.embedders import PAPER_RECIPE


def make_record(row, seed=0, accuracy=0.5, dataset="mnist-u", **changes):
    clusters = {
        f"{part}_{name}": accuracy
        for part in ("train", "test")
        for name in ("accuracy", "nmi", "ari")
    }
    pose = {"rotation_circular": 0.9, "truth_rotation_circular": 0.8}
    return {
        **plan_run(dataset, "tiny", row, seed, n_classes=10),
        "date": "2026-01-01T00:00:00+00:00",
        "commit": "0123456789abcdef",
        "dirty": False,
        "metrics": pose if row.is_pose else clusters | {"purity": 0.4},
        "losses": {"embedder": {"squared_error": 0.01}} if row.is_learned else {},
        "seconds": {"embed": 60.0, "cluster": 30.0},
        "machine": {"cpu": "a CPU", "cores": 2, "threads": 1, "gpu": None},
        **changes,
    }


SCAN = Row("IRL-INR", "SCAN")


@pytest.fixture
def records():
    return [
        make_record(SCAN, seed=0, accuracy=0.6),
        make_record(SCAN, seed=1, accuracy=0.7),
        make_record(Row("IRL-INR", "SCAN", {"d": 512}), accuracy=0.3),
        make_record(Row("IRL-INR", "SCAN", {"d": 64}), accuracy=0.4),
        make_record(Row("polar Fourier", "k-means"), accuracy=0.45),
        make_record(Row("IRL-INR", "learned pose"), dataset="cryo"),
        make_record(SCAN, dataset="wm811k", accuracy=0.62),
    ]


def test_same_lines_same_page(records):
    page = report.render(records)
    random.Random(0).shuffle(records)
    assert report.render(records) == page


def test_rows_name_what_differs_from_the_scale(records):
    page = report.render(records)
    row, _ = table_of(page, "IRL-INR + SCAN")
    assert row.startswith(" 2 | **65.0 ± 7.1** | 90.4 ± 1.7 | **65.0 ± 7.1** |")
    assert "| IRL-INR + SCAN, d=512 | 1 | 30.0 | 90.4 ± 1.7 |" in page
    assert page.index("SCAN, d=64 | 1") < page.index("SCAN, d=512 | 1")


def test_rows_below_a_baseline_are_said_to_be(records):
    page = report.render(records)
    below = next(line for line in page.splitlines() if line.startswith("Below"))
    assert "56.0" in below
    assert "d=64 (40.0)" in below
    assert "IRL-INR + SCAN (65.0)" not in below


def test_splits_that_differ_and_other_numbers_are_told(records):
    page = report.render(records)
    assert "split of WM811k is not public: ours differs" in page
    assert "| the paper, table 3 | SimCLR + SCAN | 85.4 ± 1.46 |" in page
    assert "Against the true pose" in page


def test_a_parameter_that_the_code_had_not_makes_a_row_of_its_own():
    old = make_record(SCAN, seed=1)
    del old["parameters"]["embedder"]["lr"]
    page = report.render([make_record(SCAN), old])
    assert "| IRL-INR + SCAN, lr=not there | 1 |" in page


def test_the_script_writes_the_page(records, tmp_path):
    for record in records:
        append(tmp_path / "results", record)
    newer = records[0] | {"date": "2026-03-01T00:00:00+00:00", "dirty": True}
    append(tmp_path / "results", newer)
    out = tmp_path / "docs" / "results.md"
    summary = "## In short\n\nAll is well.\n"
    (tmp_path / "summary.md").write_text(summary)
    paths = {"ready": "none.jsonl", "summary": "summary.md", "out": "docs/results.md"}
    arguments = ["--results", str(tmp_path / "results")]
    for name, path in paths.items():
        arguments += [f"--{name}", str(tmp_path / path)]
    report.main(arguments)
    assert out.read_text() == report.render([newer, *records[1:]], summary=summary)
    assert summary in out.read_text()
    assert "01234567; 01234567+" in out.read_text()


def test_an_embedding_of_uncommitted_code_is_told():
    changed = {"commit": "fedcba9876543210", "dirty": True}
    page = report.render([make_record(SCAN, embedding_code=changed)])
    assert "| 01234567+ |" in page


def test_no_lines_are_a_page_too():
    assert "no results yet" in report.render([])


def test_levers_are_compared_with_the_recipe_on_the_seeds_both_have(records):
    records += [make_record(Row("IRL-INR", "k-means"), accuracy=0.5)]
    rows = levers.render_levers(summarize(records))
    mnist = [row for row in rows if row[0] == "mnist-u"]
    assert [row[1] for row in mnist] == ["the recipe", "d=64", "d=512"]
    assert mnist[0][2:] == ["2", "0.400", "50.0%", "65.0%", "-", "90"]
    # Seed 0 alone: 40 and 30 % against 60 %.
    assert [row[6] for row in mnist[1:]] == ["-20.0", "-30.0"]


def test_levers_that_no_table_moves_are_left_out(records):
    old = make_record(Row("IRL-INR", "SCAN", {"d": 64}))
    old["parameters"]["clusterer"]["heads_first"] = False
    records += [
        old,
        make_record(Row("IRL-INR", "SCAN", {"d": 48})),
        make_record(Row("IRL-INR", "SCAN", PAPER_RECIPE)),
        make_record(Row("IRL-INR", "SCAN", clusterer={"n_neighbors": 50})),
    ]
    rows = levers.render_levers(summarize(records))
    assert {row[1] for row in rows if row[0] == "mnist-u"} == {
        "the recipe",
        "the paper's recipe",
        "n_neighbors=50",
        "d=64",
        "d=512",
    }


def test_the_table_of_levers_stands_between_its_marks(records, tmp_path):
    for record in records:
        append(tmp_path, record)
    recipe = tmp_path / "recipe.md"
    recipe.write_text(f"before {report.BEGIN} old {report.END} after")
    arguments = ["--results", str(tmp_path), "--out", str(tmp_path / "results.md")]
    report.main(arguments)
    first = recipe.read_text()
    assert first.startswith("before ")
    assert first.endswith(" after")
    assert "| mnist-u | d=64 |" in first
    assert "old" not in first
    report.main(arguments)
    assert recipe.read_text() == first


def test_a_page_without_marks_is_told_of():
    with pytest.raises(ValueError, match="must hold <!-- levers: begin -->"):
        report.replace_table("no marks", "a table")


def test_each_row_of_table_6_has_the_papers_number():
    rows = [make_record(row, dataset="mnist-u") for row in TABLES["simclr"]()]
    labels = {row.label for row in summarize(rows)}
    table = {item.method for item in ACCURACIES if item.table == 6}
    assert len(table) == 5
    assert labels == table


def test_what_saw_all_labels_is_no_baseline(records):
    ceiling = make_record(Row("scattering", "logistic regression"), accuracy=0.99)
    page = report.render([*records, ceiling])
    assert "scattering + logistic regression" in page
    assert "Below the best baseline without IRL-INR (scattering" not in page


def test_the_overview_has_a_row_for_each_data_set_with_scattering(records):
    steel = [
        make_record(row := Row(*names), accuracy=accuracy)
        | plan_run("steel", "small", row, 0, n_classes=6)
        for names, accuracy in [
            (("scattering", "k-means"), 0.5),
            (("raw pixels", "k-means"), 0.2),
            (("polar Fourier", "k-means"), 0.4),
            (("IRL-INR and scattering", "logistic regression"), 0.9),
        ]
    ]
    head, rows = overview.render_overview(summarize([*records, *steel]))
    (row,) = rows
    cells = dict(zip(head, row, strict=True))
    assert cells["data"] == "steel"
    assert cells["best other without training"] == ("40.0 (1), polar Fourier + k-means")
    assert cells["scattering, k-means"] == "**50.0** (1)"
    assert cells["all labels, logistic regression on joint"] == "90.0 (1)"
    assert cells["joint, SCAN"] == "-"


def make_ready(method, accuracy, seed=0, dataset="mnist-u", **others):
    return {
        "dataset": dataset,
        "seed": seed,
        "method": method,
        "words": {"kind": "particles"} if dataset == "cryo" else {},
        "largest_class": 0.117,
        "accuracy": accuracy,
        "machine": {
            "cpu": "a CPU",
            "cores": 2,
            "threads": 1,
            "auto_precision": "float32",
            "torch": "2.13.0",
        },
        **others,
    }


def make_ready_rows(pipeline=0.8):
    others = ("its features + heads", "its features + k-means", "scattering + k-means")
    return [
        make_ready("pipeline", pipeline, seconds=120.0),
        make_ready("pipeline", pipeline + 0.1, seed=1, seconds=240.0),
        *(make_ready(name, 0.5) for name in others),
        make_ready("pipeline", 1.0, dataset="cryo", seconds=60.0, degrees=1.34),
        *(make_ready(name, 0.9, dataset="cryo") for name in others),
    ]


def test_ready_pipelines_stand_beside_what_needs_no_training(records):
    page = report.render(records, make_ready_rows())
    assert (
        "| mnist-u | none | 11.7 | **85.0 ± 7.1** (2) | 50.0 (1) | 50.0 (1) | "
        "50.0, scattering + k-means | - | 3.0 |"
    ) in page
    assert '| cryo | kind="particles" | 11.7 | **100.0** (1) |' in page
    assert "| 90.0, scattering + k-means | 1.3 | 1.0 |" in page
    assert "Below the best row without training, and what to take there: none." in page
    assert "a CPU, 1 of 2 cores, float32, torch 2.13.0." in page


def test_a_ready_pipeline_below_is_named(records):
    page = report.render(records, make_ready_rows(0.3))
    assert "take there: mnist-u (35.0; scattering + k-means, 50.0)." in page


def test_a_ready_row_that_was_made_again_counts_once(records):
    rows = make_ready_rows()
    again = make_ready("its features + heads", 0.6)
    page = report.render(records, [*rows, again])
    assert "| **85.0 ± 7.1** (2) | 60.0 (1) | 50.0 (1) |" in page


def table_of(page, label):
    """Return the row of a method, and whether it stands inside a fold."""
    before, _, rest = page.partition(f"| {label} |")
    is_folded = before.count("<details>") > before.count("</details>")
    return rest.partition("\n")[0], is_folded


def test_ablations_are_folded_and_what_is_best_stays_in_sight(records):
    best = make_record(Row("IRL-INR", "SCAN", {"d": 256}), accuracy=0.9)
    alone = make_record(Row("SimCLR", "SCAN", {"max_epochs": 48}), accuracy=0.2)
    page = report.render([*records, best, alone])
    labels = ["IRL-INR + SCAN", "IRL-INR + SCAN, d=256", "SimCLR + SCAN, max_epochs=48"]
    assert [table_of(page, label)[1] for label in labels] == [False, False, False]
    folded = ["IRL-INR + SCAN, d=64", "IRL-INR + SCAN, d=512"]
    assert all(table_of(page, label)[1] for label in folded)
    assert "<summary>2 rows with other parameters than the scale's</summary>" in page
    assert page.count("<details>") == page.count("</details>") == 1


def test_bold_is_the_best_of_both_tables_and_never_of_rows_that_see_labels(records):
    ceiling = make_record(Row("scattering", "logistic regression"), accuracy=0.99)
    best = make_record(Row("IRL-INR", "SCAN", {"d": 256}), accuracy=0.9)
    page = report.render([*records, ceiling, best])
    assert "**90.0**" in table_of(page, "IRL-INR + SCAN, d=256")[0]
    assert "99.0" in table_of(page, "scattering + logistic regression")[0]
    assert "**99.0**" not in page
    assert "**65.0" not in page
