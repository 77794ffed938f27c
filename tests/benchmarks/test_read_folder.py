"""The benchmark of reading folders counts damaged files and times what it says."""

import json

import pytest

pytest.importorskip("PIL.Image")

from benchmarks import read_folder


def test_one_line_of_json(monkeypatch, capsys):
    options = ["--n", "40", "--damaged", "3", "--repeat", "1"]
    monkeypatch.setattr("sys.argv", ["read_folder", *options])
    read_folder.main()
    record = json.loads(capsys.readouterr().out)
    assert (record["n"], record["damaged"], record["jobs"]) == (40, 3, 2)
    for name in ("one_job", "several_jobs", "into_cache", "from_cache"):
        assert record[name]["wall"] >= 0
    assert record["faster"] > 0


def test_damaged_files_that_are_not_told_are_an_error(monkeypatch):
    options = ["--n", "40", "--damaged", "3", "--repeat", "1"]
    monkeypatch.setattr("sys.argv", ["read_folder", *options])
    monkeypatch.setattr(read_folder, "count_damaged", lambda *_: 2)
    with pytest.raises(SystemExit, match="2 of 3 damaged files were told"):
        read_folder.main()
