"""FITS files give physical values, rows from the top, as astropy wrote them."""

import sys

import numpy as np
import pytest

from invariant_cluster.readers import UnreadableError, read_image

fits = pytest.importorskip("astropy.io.fits")
SHAPE = (11, 18)
DTYPES = [
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float32", "float64"),
]


def make_values(rng, dtype, shape=SHAPE):
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 1000, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def check(path, values):
    """Compare with values as FITS stores them, the bottom row first."""
    picture = read_image(path)
    assert picture.pixels.dtype == values.dtype
    assert picture.pixels.dtype.isnative
    assert picture.pixels.flags.c_contiguous
    assert not picture.has_alpha
    np.testing.assert_array_equal(picture.pixels[::-1], values)
    return picture


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(tmp_path, rng, dtype):
    values = make_values(rng, dtype)
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    assert check(tmp_path / "a.fits", values).notes == ()


@pytest.mark.parametrize("seed", range(6))
def test_any_size_is_read_back(tmp_path, seed):
    rng = np.random.default_rng(seed)
    values = make_values(rng, DTYPES[seed], tuple(rng.integers(1, 70, 2)))
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    check(tmp_path / "a.fits", values)


def write_raw(path, stored, cards=()):
    """Write a minimal file block by block, big-endian, as the standard asks."""
    bits = {"u1": 8, "i2": 16, "i4": 32, "f4": -32, "f8": -64}[stored.dtype.str[1:]]
    axes = [(f"NAXIS{i + 1}", n) for i, n in enumerate(stored.shape[::-1])]
    head = [("SIMPLE", "T"), ("BITPIX", bits), ("NAXIS", stored.ndim), *axes, *cards]
    text = "".join(f"{key:<8}= {value!s:>20}".ljust(80) for key, value in head)
    text += "END".ljust(80)
    body = stored.astype(stored.dtype.newbyteorder(">")).tobytes()
    padding = b"\0" * (-len(body) % 2880)
    path.write_bytes(text.ljust(-(-len(text) // 2880) * 2880).encode() + body + padding)


def make_galaxy():
    y, x = np.mgrid[:32, :32]
    return 20 + 200 * np.exp(-(((x - 13) / 6) ** 2 + ((y - 10) / 3) ** 2))


def test_files_of_telescopes_written_byte_by_byte(tmp_path, rng):
    path = tmp_path / "a.fits"
    counts = (make_galaxy() * 10 + 1000).round()
    write_raw(path, make_galaxy().astype("f4"))
    check(path, make_galaxy().astype("f4"))
    around_zero = (make_galaxy() - 20 + rng.normal(0, 8, (32, 32))).round()
    assert around_zero.min() < 0
    for values in (counts.astype("i2"), around_zero.astype("i2")):
        write_raw(path, values)
        check(path, values)
    camera = [("BSCALE", 1.0), ("BZERO", 32768.0)]
    write_raw(path, (counts - 32768).astype("i2"), camera)
    check(path, counts.astype("u2"))
    scale = [("BSCALE", 0.01), ("BZERO", 5.0)]
    write_raw(path, counts.astype("i2"), scale)
    found = read_image(path).pixels
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[::-1], counts / 100 + 5, rtol=1e-6)
    write_raw(path, counts.astype("i4"), scale)
    assert read_image(path).pixels.dtype == np.float64


def test_the_dtype_does_not_depend_on_the_values(tmp_path):
    for value in (-3, 3, 30_000):
        values = np.full(SHAPE, value, dtype=np.int16)
        write_raw(tmp_path / f"{value}.fits", values)
        check(tmp_path / f"{value}.fits", values)


@pytest.mark.parametrize("n_planes", [3, 4])
def test_planes_become_channels(tmp_path, rng, n_planes):
    planes = make_values(rng, "float32", (n_planes, *SHAPE))
    fits.PrimaryHDU(planes).writeto(tmp_path / "a.fits")
    check(tmp_path / "a.fits", np.moveaxis(planes, 0, -1))


def test_axes_of_length_one_are_dropped(tmp_path, rng):
    values = make_values(rng, "float32")
    fits.PrimaryHDU(values[None, None]).writeto(tmp_path / "a.fits")
    check(tmp_path / "a.fits", values)


def test_other_axes_are_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((5, *SHAPE))).writeto(tmp_path / "planes.fits")
    with pytest.raises(UnreadableError, match="holds 5 planes, and 1, 3 or 4 are read"):
        read_image(tmp_path / "planes.fits")
    fits.PrimaryHDU(np.zeros((2, 3, *SHAPE))).writeto(tmp_path / "cube.fits")
    with pytest.raises(UnreadableError, match=r"4 axes \(2 x 3 x 11 x 18\): save each"):
        read_image(tmp_path / "cube.fits")


def test_the_first_image_is_taken_wherever_it_is(tmp_path, rng):
    values = make_values(rng, "int16")
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0, 2.0])])
    spectrum = fits.ImageHDU(np.arange(9.0))
    parts = [fits.PrimaryHDU(), table, spectrum, fits.ImageHDU(values)]
    fits.HDUList(parts).writeto(tmp_path / "a.fits")
    assert check(tmp_path / "a.fits", values).notes == ()
    weights = fits.ImageHDU(np.ones(SHAPE, dtype=np.float32))
    fits.HDUList([*parts, weights]).writeto(tmp_path / "b.fits")
    picture = check(tmp_path / "b.fits", values)
    assert picture.notes == ("the first of several images was taken (FITS)",)


def test_compressed_files(tmp_path, rng):
    values = rng.integers(-100, 1000, SHAPE).astype(np.int16)
    parts = [fits.PrimaryHDU(), fits.CompImageHDU(values)]
    fits.HDUList(parts).writeto(tmp_path / "a.fits.fz")
    check(tmp_path / "a.fits.fz", values)
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits.gz")
    check(tmp_path / "a.fits.gz", values)


def test_no_image_is_refused(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0, 2.0])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableError, match="FITS file without an image"):
        read_image(tmp_path / "a.fits")


def test_outside_of_the_frame_becomes_background(tmp_path, rng):
    values = rng.normal(5, 1, (3, 20, 24)).astype(np.float32)
    values += np.arange(3, dtype=np.float32)[:, None, None] * 100
    values[:, :, :8] = np.nan  # a third of the field was not observed
    values[:, 10, 12] = np.inf
    fits.PrimaryHDU(values).writeto(tmp_path / "a.fits")
    picture = read_image(tmp_path / "a.fits")
    assert picture.notes == ("NaN became background", "infinity became background")
    for channel, plane in zip(np.moveaxis(picture.pixels, -1, 0), values, strict=True):
        known = np.isfinite(plane)
        border = np.ones(plane.shape, dtype=bool)
        border[1:-1, 1:-1] = False
        filled = channel[::-1]
        np.testing.assert_array_equal(filled[known], plane[known])
        (background,) = np.unique(filled[~known])
        assert abs(background - np.median(plane[border & known])) < 0.1


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32"])
def test_blank_becomes_background(tmp_path, dtype):
    values = np.full(SHAPE, 7, dtype=dtype)
    values[4:6, 4:9] = 40
    values[:, 0] = 99
    unit = fits.PrimaryHDU(values)
    unit.header["BLANK"] = 99 - int(unit.header.get("BZERO", 0))
    unit.writeto(tmp_path / "a.fits")
    picture = read_image(tmp_path / "a.fits")
    np.testing.assert_array_equal(
        picture.pixels[::-1], np.where(values == 99, 7, values)
    )
    assert len(picture.notes) == 1
    assert picture.notes[0].endswith("became background")


def test_nothing_but_nan_is_refused(tmp_path):
    fits.PrimaryHDU(np.full(SHAPE, np.nan)).writeto(tmp_path / "a.fits")
    with pytest.raises(UnreadableError, match="none of its pixels has a value"):
        read_image(tmp_path / "a.fits")


@pytest.mark.filterwarnings("ignore:File may have been truncated")
@pytest.mark.parametrize("kept", [100, 2880, 4000])
def test_cut_off_files_are_named(tmp_path, rng, kept):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(make_values(rng, "float32", (40, 40))).writeto(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnreadableError, match=r"a\.fits cannot be read.*it is cut off"):
        read_image(path)


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_bombs_are_refused(tmp_path):
    write_raw(tmp_path / "a.fits", np.zeros((3, 3), dtype="u1"))
    data = (tmp_path / "a.fits").read_bytes()
    data = data.replace(b"                   3", b"               60000")
    (tmp_path / "a.fits").write_bytes(data)
    with pytest.raises(UnreadableError, match="60000 x 60000 pixels, and up to 178,95"):
        read_image(tmp_path / "a.fits")


def test_missing_astropy_says_how_to_get_it(tmp_path, rng, monkeypatch):
    fits.PrimaryHDU(make_values(rng, "uint8")).writeto(tmp_path / "a.fits")
    for name in ("astropy", "astropy.io", "astropy.io.fits"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnreadableError, match="run 'pip install astropy' or install"):
        read_image(tmp_path / "a.fits")
