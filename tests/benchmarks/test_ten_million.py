"""The command for ten million images, on some hundred."""

import sys

import pandas as pd
import pytest

pytest.importorskip("pyarrow")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RssAnon is Linux's")
@pytest.mark.parametrize("data", [False, True])
def test_all_images_are_labelled_and_deleted(
    data, data_folder, tmp_path, monkeypatch, capsys
):
    from benchmarks import ten_million

    arguments = ["--rows", 300, "--folder", tmp_path / "run", "--sample", 100]
    arguments += ["--features", "scattering", "--rows-per-shard", 128]
    arguments += ["--device", "cpu", *(["--data", data_folder] if data else [])]
    monkeypatch.setattr(sys, "argv", ["ten_million", *map(str, arguments)])
    ten_million.main()
    shown = capsys.readouterr().out
    for told in ("images: ", "fit: ", "predict: ", "images a second", "3 shards"):
        assert told in shown
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["clusters"]
    parts = sorted((tmp_path / "run" / "clusters").glob("*.parquet"))
    assert sum(len(pd.read_parquet(part)) for part in parts) == 300
