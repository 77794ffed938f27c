import numpy as np
import pytest

from invariant_cluster.images import _blank, find_blank


@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool"])
@pytest.mark.parametrize("channels", [1, 3])
def test_blank_images_are_those_of_equal_pixels(dtype, channels):
    images = np.random.default_rng(0).integers(0, 9, (30, channels, 9, 8))
    images[[3, 4, 29]] = np.arange(channels)[:, None, None]  # of one colour
    images[5] = 1
    images[5, -1, 0, 0] = 0  # a single pixel
    images = images.astype(dtype)
    naive = [i for i, image in enumerate(images) if not np.ptp(1 * image, (1, 2)).any()]
    rows, n_seen = find_blank(images)
    assert rows.tolist() == naive
    assert {3, 4, 29} <= set(naive)
    assert n_seen == 30


def test_images_are_read_in_chunks_and_evenly_spaced(monkeypatch):
    monkeypatch.setattr(_blank, "_CHUNK_BYTES", 3 * 64)
    images = np.random.default_rng(0).integers(0, 9, (20, 1, 8, 8)).astype(np.uint8)
    images[[1, 6, 18]] = 7
    assert find_blank(images).rows.tolist() == [1, 6, 18]
    monkeypatch.setattr(_blank, "_MOST_BYTES", 10 * 64)
    rows, n_seen = find_blank(images)
    assert (rows.tolist(), n_seen) == ([6, 18], 10)
