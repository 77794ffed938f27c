"""The rows that training draws: read in order, as one batch, from a file too."""

import numpy as np
import pytest
import torch

from invariant_cluster.runtime import to_tensor
from invariant_cluster.training import (
    ImageRows,
    NeighborPairs,
    _rows,
    keep_batch,
    keep_near,
)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64", "float64"])
def test_rows_come_as_one_batch_of_a_dtype_that_torch_has(dtype):
    rows = np.arange(24).reshape(6, 4).astype(dtype)
    batch, target = ImageRows(rows).__getitems__([4, 0, 3])
    assert len(ImageRows(rows)) == 6
    assert batch.tolist() == rows[[0, 3, 4]].tolist()  # in the order of the file
    assert batch.dtype == (torch.uint8 if dtype == "uint8" else torch.float32)
    assert len(target) == 0


def test_rows_of_a_memmap_are_read_batch_by_batch(tmp_path):
    stored = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)
    stored.tofile(tmp_path / "rows")
    rows = np.memmap(tmp_path / "rows", np.uint8, "r", shape=(5, 3, 4))
    dataset = ImageRows(rows)
    assert dataset.rows is rows
    batch, _ = dataset.__getitems__([2, 1])
    assert batch.tolist() == stored[[1, 2]].tolist()
    batch.add_(1)  # a copy: the file is read-only
    assert np.array_equal(rows, stored)


def test_a_batch_of_pairs_holds_anchors_and_then_their_neighbors():
    rows = np.arange(10, dtype=np.float32)[:, None]
    neighbors = (np.arange(10)[:, None] + [1, 2, 3]) % 10
    dataset, drawn = NeighborPairs(rows, neighbors), set()
    for _ in range(50):
        batch, _ = dataset.__getitems__([7, 2, 5])
        anchors, partners = batch.flatten().int().tolist()[:3], batch[3:].flatten()
        assert anchors == [2, 5, 7]
        for anchor, partner in zip(anchors, partners.int().tolist(), strict=True):
            assert partner in neighbors[anchor]
            drawn.add((partner - anchor) % 10)
    assert drawn == {1, 2, 3}


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_rows_that_are_kept_as_a_tensor_give_the_same_batches(dtype):
    rows = np.arange(24).reshape(6, 4).astype(dtype)
    kept = to_tensor(rows)
    for given in (ImageRows(rows), ImageRows(kept)):
        batch, _ = given.__getitems__([4, 0, 3])
        assert batch.dtype == kept.dtype
        assert batch.tolist() == rows[[0, 3, 4]].tolist()
    neighbors = np.roll(np.arange(6), 1)[:, None]
    pairs, _ = NeighborPairs(kept, neighbors).__getitems__([3, 1])
    assert pairs.tolist() == rows[[1, 3, 0, 2]].tolist()


def test_rows_stay_in_memory_where_no_gpu_trains():
    rows = np.zeros((3, 2))
    assert keep_near(rows, torch.device("cpu")) is rows


@pytest.mark.parametrize(("free", "is_moved"), [(96, True), (95, False)])
def test_rows_move_to_a_gpu_with_room_for_four_times_as_many(
    monkeypatch, free, is_moved
):
    rows, moved = np.zeros((3, 2)), []

    def record(rows, device):
        moved.append(device.type)
        return "on the GPU"

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10 * free))
    monkeypatch.setattr(_rows, "to_tensor", record)
    near = keep_near(rows, torch.device("cuda"))
    assert moved == ["cuda"] * is_moved
    assert near is rows or is_moved


def test_batches_are_not_collated_again():
    batch = ImageRows(np.zeros((3, 2), np.uint8)).__getitems__([0, 1])
    assert keep_batch(batch) is batch
