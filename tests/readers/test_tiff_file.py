"""TIFF files are read back to their values, whatever their type and layout."""

import struct
import sys

import numpy as np
import pytest
from PIL import Image

from invariant_cluster.readers import UnreadableError, read_image

tifffile = pytest.importorskip("tifffile")
SHAPE = (11, 18)
DTYPES = [
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float32", "float64"),
]


def make_values(rng, dtype, shape=SHAPE):
    """Values over the whole range of a dtype."""
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 1000, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def check(path, pixels, **how):
    picture = read_image(path, **how)
    assert picture.pixels.dtype == pixels.dtype
    assert picture.pixels.dtype.isnative
    assert picture.pixels.flags.c_contiguous
    np.testing.assert_array_equal(picture.pixels, pixels)
    return picture


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(tmp_path, rng, dtype, byteorder):
    pixels = make_values(rng, dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=byteorder)
    picture = check(tmp_path / "a.tif", pixels)
    assert picture.notes == ()
    assert not picture.has_alpha


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_does_not_depend_on_the_values(tmp_path, dtype):
    for value in (0, 1, 100):
        pixels = np.full(SHAPE, value, dtype=dtype)
        tifffile.imwrite(tmp_path / f"{value}.tif", pixels)
        check(tmp_path / f"{value}.tif", pixels)


@pytest.mark.parametrize("seed", range(8))
def test_any_size_is_read_back(tmp_path, seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 70, 2)) + ((3,) if seed % 2 else ())
    pixels = make_values(rng, DTYPES[seed], shape)
    photometric = "rgb" if seed % 2 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric)
    check(tmp_path / "a.tif", pixels)


def test_half_floats_become_float32(tmp_path, rng):
    pixels = make_values(rng, "float16")
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    check(tmp_path / "a.tif", pixels.astype(np.float32))


def write_raw(path, page, *, sample_format, bits, photometric=1):
    """Write an uncompressed little-endian grey TIFF tag by tag."""
    height, width = page.shape
    body = page.tobytes() if bits >= 8 else np.packbits(page, axis=1).tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric}
    tags |= {273: 8 + 2 + 12 * 10 + 4, 277: 1, 278: height, 279: len(body)}
    tags |= {339: sample_format}
    out = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, value in tags.items():
        out += struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value)
    path.write_bytes(out + struct.pack("<I", 0) + body)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_written_tag_by_tag(tmp_path, rng, dtype):
    pixels = make_values(rng, dtype)
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    bits = 8 * pixels.itemsize
    write_raw(tmp_path / "a.tif", pixels, sample_format=kind, bits=bits)
    check(tmp_path / "a.tif", pixels)


@pytest.mark.parametrize("dtype", [name for name in DTYPES if "int" in name])
def test_white_is_zero_is_inverted(tmp_path, rng, dtype):
    pixels = make_values(rng, dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    limits = np.iinfo(dtype)
    found = read_image(tmp_path / "a.tif").pixels
    assert found.dtype == dtype
    total = found.astype(object) + pixels.astype(object)
    assert (total == int(limits.max) + int(limits.min)).all()


def test_white_is_zero_in_floats_is_refused(tmp_path, rng):
    pixels = make_values(rng, "float32")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    with pytest.raises(UnreadableError, match="zero is white in it, but its floats"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("photometric", [0, 1])
def test_masks_are_0_and_255(tmp_path, rng, photometric):
    mask = rng.random(SHAPE) < 0.3
    stored = mask if photometric == 1 else ~mask
    write_raw(
        tmp_path / "a.tif", stored, sample_format=1, bits=1, photometric=photometric
    )
    check(tmp_path / "a.tif", mask.astype(np.uint8) * np.uint8(255))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_rgb_in_both_layouts(tmp_path, rng, dtype, planar):
    pixels = make_values(rng, dtype, (*SHAPE, 3))
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    check(tmp_path / "a.tif", pixels)


@pytest.mark.parametrize("kind", ["minisblack", "rgb"])
def test_four_channels_are_no_opacity_unless_the_file_says_so(tmp_path, rng, kind):
    pixels = make_values(rng, "uint16", (*SHAPE, 4))
    extra = ["unspecified"] * (1 if kind == "rgb" else 3)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        photometric=kind,
        planarconfig="contig",
        extrasamples=extra,
    )
    assert not check(tmp_path / "a.tif", pixels).has_alpha
    with pytest.raises(UnreadableError, match=r"4 channels, which are no RGB colours"):
        read_image(tmp_path / "a.tif", color="grey")


@pytest.mark.parametrize("n_channels", [2, 5])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_other_numbers_of_channels_are_refused(tmp_path, rng, n_channels, planar):
    pixels = make_values(rng, "uint16", (*SHAPE, n_channels))
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=planar
    )
    message = rf"has {n_channels} channels \(axes .*1, 3 or 4 are read: save the one"
    with pytest.raises(UnreadableError, match=message):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("n_channels", [3, 4])
def test_channels_of_a_microscope(tmp_path, rng, n_channels):
    pixels = make_values(rng, "uint16", (n_channels, *SHAPE))
    for name, how in (("a.tif", {"imagej": True}), ("a.ome.tif", {"ome": True})):
        tifffile.imwrite(tmp_path / name, pixels, metadata={"axes": "CYX"}, **how)
        check(tmp_path / name, np.moveaxis(pixels, 0, -1))


def test_two_channels_of_a_microscope_are_refused(tmp_path, rng):
    pixels = make_values(rng, "uint16", (2, *SHAPE))
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(UnreadableError, match=r"has 2 channels \(axes CYX\)"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_stacks_are_refused(tmp_path, rng, axes):
    pixels = make_values(rng, "uint8", (3, *SHAPE))
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": axes})
    message = rf"holds 3 frames \(axes {axes}\), which are no channels: save each"
    with pytest.raises(UnreadableError, match=message):
        read_image(tmp_path / "a.tif")


def test_pages_are_no_channels(tmp_path, rng):
    pages = [Image.fromarray(make_values(rng, "uint8")) for _ in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(UnreadableError, match=r"3 frames .*save each frame as its own"):
        read_image(tmp_path / "a.tif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        for side in (9, 12):
            writer.write(make_values(rng, "uint8", (side, side)), metadata=None)
    with pytest.raises(UnreadableError, match="holds 2 images of different kinds"):
        read_image(tmp_path / "b.tif")


def test_thumbnails_are_passed_over(tmp_path, rng):
    pixels = make_values(rng, "uint16")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(pixels, metadata=None)
        writer.write(pixels[::2, ::2], metadata=None, subfiletype=1)
    check(tmp_path / "a.tif", pixels)


@pytest.mark.parametrize("compression", ["zlib", "packbits", "lzma"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_compressed_and_tiled(tmp_path, rng, compression, tile):
    codes = {"zlib": "tiff_adobe_deflate", "packbits": "packbits", "lzma": "lzma"}
    pixels = make_values(rng, "uint8", (40, 50))
    if tile and compression == "zlib":
        tifffile.imwrite(tmp_path / "a.tif", pixels, tile=tile, compression="zlib")
    elif tile:
        tifffile.imwrite(tmp_path / "a.tif", pixels, tile=tile)
    else:
        Image.fromarray(pixels).save(tmp_path / "a.tif", compression=codes[compression])
    check(tmp_path / "a.tif", pixels)


@pytest.mark.parametrize(
    ("dtype", "colours"),
    [("uint8", ()), ("uint8", (3,)), ("uint16", ()), ("float32", ())],
)
def test_lzw(tmp_path, rng, dtype, colours):
    pixels = make_values(rng, dtype, (*SHAPE, *colours))
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression="tiff_lzw")
    check(tmp_path / "a.tif", pixels)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_lzw_with_opacity(tmp_path, rng, mode):
    stored = make_values(rng, "uint8", (*SHAPE, len(mode)))
    Image.fromarray(stored).save(tmp_path / "plain.tif")
    Image.fromarray(stored).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert check(
        tmp_path / "a.tif", read_image(tmp_path / "plain.tif").pixels
    ).has_alpha


def test_lzw_white_is_zero(tmp_path, rng):
    pixels = make_values(rng, "uint8")
    image = Image.fromarray(pixels)
    tags = {262: 0}
    image.save(tmp_path / "a.tif", compression="tiff_lzw", tiffinfo=tags)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        white_is_zero = int(tiff.pages[0].photometric) == 0
    assert white_is_zero
    check(tmp_path / "a.tif", pixels)


def test_fax_and_jpeg_in_tiff(tmp_path, rng):
    mask = rng.random(SHAPE) < 0.3
    Image.fromarray(mask).save(tmp_path / "a.tif", compression="group4")
    check(tmp_path / "a.tif", mask.astype(np.uint8) * np.uint8(255))
    smooth = np.add.outer(np.arange(40), np.arange(50)).astype(np.uint8)
    for name, pixels in (("grey", smooth), ("rgb", np.dstack([smooth] * 3))):
        path = tmp_path / f"{name}.tif"
        Image.fromarray(pixels).save(path, compression="jpeg", quality=95)
        found = read_image(path).pixels
        assert found.shape == pixels.shape
        assert np.abs(found.astype(int) - pixels).max() <= 4


def test_lzw_of_a_turned_image_is_turned_once_or_asks_for_its_decoder(tmp_path, rng):
    exif = Image.Exif()
    exif[274] = 6
    pixels = make_values(rng, "uint8")
    path = tmp_path / "a.tif"
    Image.fromarray(pixels).save(path, exif=exif, compression="tiff_lzw")
    try:
        found = read_image(path).pixels
    except UnreadableError as error:
        assert "pip install imagecodecs" in error.reason  # noqa: PT017
    else:
        np.testing.assert_array_equal(found, np.rot90(pixels, -1))


def test_a_missing_decoder_is_named(tmp_path, rng, monkeypatch):
    Image.fromarray(make_values(rng, "int16")).save(
        tmp_path / "a.tif", compression="tiff_lzw"
    )
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    message = "compression LZW needs a package.*run 'pip install imagecodecs', or save"
    with pytest.raises(UnreadableError, match=message):
        read_image(tmp_path / "a.tif")


def test_palettes_become_rgb(tmp_path, rng):
    colours = rng.integers(0, 256, (7, 3), dtype=np.uint8)
    pixels = colours[rng.integers(0, 7, SHAPE)]
    palette = Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE)
    for compression in (None, "tiff_lzw"):
        palette.save(tmp_path / "a.tif", compression=compression)
        check(tmp_path / "a.tif", pixels)
    table = np.zeros((3, 256), dtype=np.uint16)
    table[:, :7] = colours.T * np.uint16(257)
    indices = rng.integers(0, 7, SHAPE).astype(np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", indices, photometric="palette", colormap=table)
    check(tmp_path / "b.tif", colours[indices])
    tifffile.imwrite(  # by a program that filled 8 of the 16 bits
        tmp_path / "c.tif", indices, photometric="palette", colormap=table >> 8
    )
    check(tmp_path / "c.tif", colours[indices])


def test_other_colours_and_numbers_are_refused_by_name(tmp_path, rng):
    Image.new("CMYK", (9, 9)).save(tmp_path / "a.tif")
    with pytest.raises(UnreadableError, match="stored as SEPARATED, which is not read"):
        read_image(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros(SHAPE, dtype=np.complex64))
    with pytest.raises(UnreadableError, match="are of type complex64: save real"):
        read_image(tmp_path / "b.tif")


# Where TIFF 6.0, section 8, puts row 0 and column 0. Pillow is no judge here: version
# 13 mixes up height and width of files that are turned by a quarter.
SHOWN = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("tag", SHOWN)
@pytest.mark.parametrize("colours", [(), (3,)])
def test_orientation(tmp_path, rng, tag, colours):
    pixels = make_values(rng, "uint16", (*SHAPE, *colours))
    tags = [(274, "H", 1, tag, True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=tags)
    notes = ("turned as its EXIF tag says",) if tag > 1 else ()
    assert check(tmp_path / "a.tif", SHOWN[tag](pixels)).notes == notes


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("kind", ["assocalpha", "unassalpha"])
@pytest.mark.parametrize("n_colours", [1, 3])
def test_opacity_of_both_kinds(tmp_path, rng, dtype, kind, n_colours):
    top = 1.0 if dtype == "float32" else np.iinfo(dtype).max
    colour = (rng.random((*SHAPE, n_colours)) * top).astype(dtype)
    alpha = (rng.random((*SHAPE, 1)) * top).astype(dtype)
    share = alpha / top
    stored = (colour * share).astype(dtype) if kind == "assocalpha" else colour
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.concatenate([stored, alpha], axis=2),
        photometric="rgb" if n_colours == 3 else "minisblack",
        planarconfig="contig",
        extrasamples=[kind],
    )
    picture = read_image(tmp_path / "a.tif", transparent="white")
    expected = (stored if kind == "assocalpha" else colour * share) + top * (1 - share)
    assert picture.has_alpha
    assert picture.pixels.dtype == dtype
    tolerance = 1e-6 if dtype == "float32" else 0.5 + 1e-9
    np.testing.assert_allclose(
        picture.pixels.reshape(expected.shape), expected, rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_cut_off_files_are_named(tmp_path, rng, share, compression):
    path = tmp_path / "a.tif"
    pixels = make_values(rng, "uint16", (64, 64))
    tifffile.imwrite(path, pixels, compression=compression, rowsperstrip=8)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadableError, match=r"a\.tif cannot.*it is cut off or"):
        read_image(path)


def test_pixels_without_a_place_are_not_made_up(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.full((32, 32), 7, dtype=np.uint16), tile=(16, 16))
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("TileOffsets", "TileByteCounts"):
            tag = tiff.pages[0].tags[name]
            tag.overwrite([*tag.value[:-1], 0])
    assert (tifffile.imread(path)[16:, 16:] == 0).all()
    with pytest.raises(UnreadableError, match="it is cut off or sparse, since some"):
        read_image(path)


def test_a_length_stated_too_large_does_not_matter(tmp_path, rng):
    pixels = make_values(rng, "uint16")
    write_raw(tmp_path / "a.tif", pixels, sample_format=1, bits=16)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    length = 10 + 8 * 12 + 8  # the ninth tag, StripByteCounts
    assert struct.unpack("<I", data[length : length + 4]) == (pixels.nbytes,)
    data[length : length + 4] = struct.pack("<I", pixels.nbytes + 100)
    (tmp_path / "a.tif").write_bytes(data)
    check(tmp_path / "a.tif", pixels)


def test_previews_are_no_photo(tmp_path, rng):
    pixels = make_values(rng, "uint8", (*SHAPE, 3))
    tifffile.imwrite(tmp_path / "a.tif", pixels, subfiletype=1, metadata=None)
    with pytest.raises(UnreadableError, match=r"its pages are previews .of a raw"):
        read_image(tmp_path / "a.tif")


def test_no_data_of_gdal_becomes_background(tmp_path):
    pixels = np.full((9, 9), 7, dtype=np.int16)
    pixels[3:5, 3:5], pixels[0] = 40, -9999
    tag = (42113, "s", 0, "-9999", True)
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=[tag])
    expected = np.where(pixels == -9999, 7, pixels).astype(np.int16)
    notes = check(tmp_path / "a.tif", expected).notes
    assert notes == ("no-data pixels became background",)


def test_bombs_are_refused(tmp_path):
    page = np.zeros((2, 2), dtype=np.uint8)
    write_raw(tmp_path / "a.tif", page, sample_format=1, bits=8)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    for entry in (10, 22):  # width and height
        data[entry + 8 : entry + 12] = struct.pack("<I", 60_000)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(UnreadableError, match="60000 x 60000 pixels, and up to 178,95"):
        read_image(tmp_path / "a.tif")


def test_missing_tifffile_says_how_to_get_it(tmp_path, rng, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", make_values(rng, "uint8"))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(UnreadableError, match="run 'pip install tifffile' or install"):
        read_image(tmp_path / "a.tif")
