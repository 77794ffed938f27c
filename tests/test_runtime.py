"""Devices that are there, seeds that stay inside, batches of any dtype."""

import numpy as np
import pytest
import torch
from torch import nn

from invariant_cluster.runtime import (
    _full_float32,
    autocast,
    draw_seed,
    evaluating,
    map_batches,
    map_rows,
    resolve_device,
    resolve_precision,
    row_limit,
    seeded,
    to_tensor,
)

CPU = torch.device("cpu")


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    for available, kind in [(True, "cuda"), (False, "cpu")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda value=available: value)
        assert resolve_device("auto").type == kind


def test_known_devices():
    assert resolve_device("cpu") == resolve_device(CPU) == CPU


@pytest.mark.parametrize(
    "device", ["tpu", "gpu0", "", "cuda:97", "mps:5", "hpu", "meta"]
)
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ValueError, match=rf"device='{device}' is not available here.*"):
        resolve_device(device)
    with pytest.raises(ValueError, match=r"use device='auto' or 'cpu'"):
        resolve_device(device)


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", None), ("bfloat16", torch.bfloat16)]
)
def test_precision_as_asked(precision, expected):
    assert resolve_precision(precision, "cpu") == expected


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        ({"amx_bf16": True}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, None),
        ({"architecture": "aarch64"}, None),
    ],
    ids=str,
)
def test_automatic_precision_follows_the_processor(monkeypatch, abilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities, raising=False)
    assert resolve_precision("auto", "cpu") == expected


def test_a_torch_that_does_not_know_the_processor_means_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_precision("auto", "cpu") is None


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_matrix_products_run_in_the_precision(dtype):
    with autocast("cpu", dtype):
        product = torch.rand(2, 2) @ torch.rand(2, 2)
    assert product.dtype == (dtype or torch.float32)


@pytest.mark.usefixtures("generators_unchanged")
def test_seeded_blocks_repeat_and_leave_the_generators_alone():
    draws = []
    for seed in (3, 3, 4):
        with seeded(seed):
            draws.append(torch.rand(5).tolist())
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("in_use", [False, True])
def test_cuda_is_left_alone_where_it_is_not_in_use(monkeypatch, in_use):
    """Else workers that are forked later could not use it."""
    seeds = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: in_use)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    with seeded(3, "cpu"):
        pass
    assert seeds == [3] * in_use


@pytest.mark.usefixtures("generators_unchanged")
def test_generators_are_put_back_after_an_error():
    def fail():
        with seeded(3):
            torch.rand(5)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()


@pytest.mark.usefixtures("generators_unchanged")
def test_seeds_follow_scikit_learns_random_state():
    assert draw_seed(3) == draw_seed(3) != draw_seed(4)
    state = np.random.RandomState(3)
    assert draw_seed(state) == draw_seed(3)
    assert draw_seed(state) != draw_seed(3)
    assert isinstance(draw_seed(0), int)


def test_evaluating_is_without_gradients_and_ends_on_the_cpu():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    with evaluating(module, CPU):
        assert not module.training
        assert not module(torch.rand(1, 2)).requires_grad
    assert {p.device for p in module.parameters()} == {CPU}
    module(torch.rand(1, 2)).sum().backward()  # its weights can be trained again


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint8", torch.uint8),
        ("float32", torch.float32),
        ("bool", torch.float32),
        ("uint16", torch.float32),
        ("int64", torch.float32),
        ("float16", torch.float32),
        ("float64", torch.float32),
        (">f4", torch.float32),
        (">i2", torch.float32),
    ],
)
def test_tensors_have_the_values_of_any_dtype(dtype, expected):
    array = np.array([[0, 1, 5], [3, 100, 200]]).astype(dtype)
    tensor = to_tensor(array)
    assert tensor.dtype == expected
    assert tensor.tolist() == array.astype(float).tolist()


def test_strides_and_read_only_arrays_are_taken():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for view in (array[:, ::-1], np.moveaxis(array, -1, 1), array[:, :, ::2]):
        assert to_tensor(view).tolist() == view.tolist()
    array.flags.writeable = False
    to_tensor(array).zero_()
    assert array.any()


@pytest.mark.parametrize(
    ("shape", "most"),
    [
        ((600, 3), 256),
        ((600, 1, 8, 8), 256),
        ((5, 2, 300, 400), 2),
        ((3, 1, 600, 600), 1),
    ],
    ids=str,
)
def test_map_batches_equals_one_call_in_bounded_batches(shape, most):
    images, sizes = np.random.default_rng(0).random(shape, dtype=np.float32), []

    def function(batch):
        sizes.append(len(batch))
        return batch.flatten(1).double().sum(dim=1)

    result = map_batches(function, images, device=CPU)
    assert result.dtype == np.float32
    expected = images.reshape(len(images), -1).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert max(sizes) == most
    assert sum(sizes) == len(images)


def test_map_rows_evaluates_and_leaves_the_module_at_rest():
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.9)).train()
    rows = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)
    found = map_rows(module, module, rows, "cpu")
    with torch.no_grad():
        expected = module[0](torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert not module.training


def test_map_rows_finds_what_is_not_finite():
    module = torch.nn.Linear(3, 1)
    with torch.no_grad():
        module.weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="lower lr"):
        map_rows(module, module, np.ones((4, 3), np.float32), "cpu")


@pytest.mark.parametrize(
    ("shape", "rows"), [((9, 1, 8, 8), 256), ((9, 3, 64, 64), 64), ((9, 5), 256)]
)
def test_a_gpu_takes_four_times_as_many_rows_at_once(shape, rows):
    images = np.zeros(shape, np.uint8)
    assert row_limit(images) == row_limit(images, CPU) == rows
    assert row_limit(images, "cuda") == 4 * rows
    assert row_limit(np.zeros((2, 1, 2000, 2000), np.uint8), "cuda") == 1


def test_evaluation_on_a_gpu_is_without_tf32(monkeypatch):
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    with _full_float32(torch.device("cuda")):
        assert not products.allow_tf32
        assert not convolutions.allow_tf32
    assert (products.allow_tf32, convolutions.allow_tf32) == before


def test_each_process_of_torchrun_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == torch.device("cuda")
    for number, gpu in (("0", 0), ("1", 1), ("2", 0)):
        monkeypatch.setenv("LOCAL_RANK", number)
        assert resolve_device("auto") == torch.device("cuda", gpu)
        assert resolve_device("cpu") == torch.device("cpu")
