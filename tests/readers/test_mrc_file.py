"""MRC files as public programs write them are read to the values that mrcfile gives.

The headers are those of ccpem/mrcfile#4 (SerialEM), #19 (MotionCor2) and #44 (Amira),
ml-struct-bio/cryodrgn#248 and ComputationalCryoEM/ASPIRE-Python#544.
"""

import sys

import numpy as np
import pytest

from invariant_cluster.readers import map_mrc, open_mrc, read_mrc

mrcfile = pytest.importorskip("mrcfile")

STACK = np.random.default_rng(0).normal(0, 20, (5, 24, 22)).astype(np.float32)
ARRAYS = {
    "mode 2": STACK,
    "mode 2 big-endian": STACK.astype(">f4"),
    "mode 0": STACK.astype(np.int8),
    "mode 1": STACK.astype(np.int16),
    "mode 1 big-endian": STACK.astype(">i2"),
    "mode 6": np.abs(STACK).astype(np.uint16),
    "mode 12": STACK.astype(np.float16),
}
ODD_HEADERS = {
    "no MAP": ({208: bytes(4)}, "no mark MAP"),
    "stamp 0": ({212: bytes(4)}, "machine stamp 00 00 00 00"),
    "SerialEM": ({212: b"\x44\0\0\0"}, "machine stamp 44 00 00 00"),
    "Dynamo": ({212: b"\x44\x20\x20\x20"}, "machine stamp 44 20 20 20"),
    "neither": ({208: bytes(8)}, "no mark MAP, machine stamp 00 00 00 00"),
    "other order": (
        {212: b"\x11\x11\0\0"},
        "machine stamp 11 11 00 00 of the other byte order",
    ),
}


def write(path, array, *, is_stack=True, patch=None, cut=None, extended=None):
    """Write an MRC file, and bytes of its header anew."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(array)
        if is_stack and array.ndim == 3:
            file.set_image_stack()
        if extended is not None:
            file.set_extended_header(np.frombuffer(extended, "V1"))
    raw = bytearray(path.read_bytes())
    for place, value in (patch or {}).items():
        raw[place : place + len(value)] = value
    path.write_bytes(raw[:cut])
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "particles.mrcs"


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_every_mode_is_read_to_the_value(path, array):
    stack = open_mrc(write(path, array))
    assert stack.shape == array.shape
    assert stack.oddities == ()
    assert not stack.is_volume
    images = read_mrc(stack, 1, 4)
    assert images.dtype.isnative
    assert images.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(images, array[1:4])
    np.testing.assert_array_equal(images, mrcfile.read(path)[1:4])


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_a_map_stays_on_disk(path, array):
    images = map_mrc(open_mrc(write(path, array)))
    if array.dtype.isnative:
        assert isinstance(images, np.memmap)
        assert not images.flags.writeable
        np.testing.assert_array_equal(images, array)
    else:
        assert images is None


@pytest.mark.parametrize("extended", [b"", b"x" * 1024, b"\xff" * 5000])
def test_extended_headers_are_left_out(path, extended):
    for array in (STACK, STACK.astype(">f4")):
        stack = open_mrc(write(path, array, extended=extended))
        np.testing.assert_array_equal(read_mrc(stack, 0, 5), array)


@pytest.mark.parametrize(("patch", "told"), ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_odd_headers_are_read_and_told(path, patch, told):
    """mrcfile's own warnings would be errors here."""
    stack = open_mrc(write(path, STACK, patch=patch))
    assert ", ".join(stack.oddities) == told
    np.testing.assert_array_equal(read_mrc(stack, 0, 5), STACK)


@pytest.mark.parametrize("patch", [{212: bytes(4)}, {208: bytes(8)}])
def test_the_mode_tells_the_byte_order_where_no_stamp_does(path, patch):
    stack = open_mrc(write(path, STACK.astype(">f4"), patch=patch))
    np.testing.assert_array_equal(read_mrc(stack, 0, 5), STACK)


@pytest.mark.parametrize("mark", [b"MAP\0", b"MAP "])
def test_the_last_letter_of_the_mark_means_nothing(path, mark):
    assert open_mrc(write(path, STACK, patch={208: mark})).oddities == ()


def test_bytes_after_the_images_are_told(path):
    write(path, STACK)
    with path.open("ab") as file:
        file.write(bytes(1500))
    stack = open_mrc(path)
    assert stack.oddities == ("1,500 bytes after the images",)
    np.testing.assert_array_equal(read_mrc(stack, 0, 5), STACK)


def test_a_micrograph_is_one_image(path):
    stack = open_mrc(write(path, STACK[0]))
    assert stack.shape == (1, 24, 22)
    np.testing.assert_array_equal(read_mrc(stack, 0, 1), STACK[:1])


@pytest.mark.parametrize(
    ("patch", "is_volume", "oddities"),
    [
        ({}, True, ()),
        ({88: (0).to_bytes(4, "little")}, False, ("a cube whose cell is that of a v",)),
        ({36: (1).to_bytes(4, "little")}, False, ()),  # mz: sections of a cell
        ({88: bytes(4), 36: (1).to_bytes(4, "little")}, False, ()),
    ],
    ids=["space group 1", "space group 0, mz 24", "mz 1", "a stack"],
)
def test_cubes_are_volumes_unless_the_header_denies_it(
    path, patch, is_volume, oddities
):
    stack = open_mrc(write(path, STACK[:, :5, :5], is_stack=False, patch=patch))
    assert stack.is_volume == is_volume
    assert len(stack.oddities) == len(oddities)
    assert all(map(str.startswith, stack.oddities, oddities))


def test_stacks_in_space_group_1_are_stacks(path):
    assert not open_mrc(write(path, STACK, is_stack=False)).is_volume


@pytest.mark.parametrize(
    ("patch", "cut", "reason"),
    [
        (
            {},
            -500,
            "is cut off: its header promises 5 images of 24 x 22 of float32, an",
        ),
        ({}, -500, "and 500 bytes of them are missing. Copy it again"),
        ({0: b"\xff\xff\xff\x7f" * 3}, None, "is cut off"),  # more than 64 bits count
        ({}, 1000, "cannot be read as an MRC file: .*enough bytes.*Give an intact"),
        ({}, 0, "cannot be read as an MRC file: .*enough bytes"),
        ({0: b"\xff" * 1024}, None, "cannot be read as an MRC file: its header prom"),
        ({0: b"text" * 256}, None, "as an MRC file: it has no mark MAP and no known m"),
        ({0: bytes(1024)}, None, "as an MRC file: its header promises 0 images of 0"),
        ({92: b"\xff" * 4}, None, "cannot be read as an MRC file: "),
        ({208: bytes(4)}, -500, "it lacks the mark MAP, and its length fits no header"),
        ({12: b"\4"}, None, r"holds complex values \(mode 4\), such as a Fourier t"),
        ({12: b"\3"}, None, r"holds complex values \(mode 3\)"),
        ({12: b"\4", 208: bytes(4)}, None, "no mark MAP and complex values"),
        ({12: b"\x65"}, None, "values of mode 101, which mrcfile does not read: conv"),
        ({88: b"\x91\1\0\0"}, None, r"is a stack of volumes \(space group 401\)"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(path, patch, cut, reason):
    write(path, STACK, patch=patch, cut=cut)
    with pytest.raises(ValueError, match=reason) as told:
        open_mrc(path)
    assert str(told.value).startswith(str(path))


def test_files_that_become_shorter_are_told(path):
    stack = open_mrc(write(path, STACK))
    write(path, STACK[:2])
    np.testing.assert_array_equal(read_mrc(stack, 0, 2), STACK[:2])
    with pytest.raises(ValueError, match=r"has become shorter since it was opened: op"):
        read_mrc(stack, 1, 4)


def test_mrcfile_is_asked_for(path, monkeypatch):
    write(path, STACK)
    monkeypatch.setitem(sys.modules, "mrcfile", None)
    monkeypatch.setitem(sys.modules, "mrcfile.mrcinterpreter", None)
    with pytest.raises(ImportError, match=r"with mrcfile, which .* extra 'particles'"):
        open_mrc(path)
