"""WM811k is read from an archive, and from look-alikes of the published pickle.

The published LSWMD.pkl is not at hand. The look-alikes are written opcode by opcode as
Python 2 and pandas 0.19 wrote tables: protocol 2, array data as byte strings, modules
by their old names. Naming what a file may not name needs no such module here either.
"""

import pickle
import struct
import sys

import numpy as np
import pytest

from invariant_cluster.datasets import load_wm811k
from invariant_cluster.datasets._wafers import WAFER_CLASSES

# Opcodes: each function returns those that leave one object on the stack.
NONE, TRUE, FALSE = b"N", b"\x88", b"\x89"


def name(module, attribute):
    return b"c" + f"{module}\n{attribute}\n".encode()


def text(value):
    """Return a byte string of Python 2."""
    raw = value if isinstance(value, bytes) else value.encode()
    return b"T" + struct.pack("<i", len(raw)) + raw


def integer(value):
    return b"J" + struct.pack("<i", value)


def sequence(*items):
    return b"(" + b"".join(items) + b"t"


def array_list(items):
    return b"](" + b"".join(items) + b"e"


def mapping(**items):
    return b"}(" + b"".join(text(key) + item for key, item in items.items()) + b"u"


def call(function, *arguments):
    return function + sequence(*arguments) + b"R"


def instance(cls, state):
    return cls + b")\x81" + state + b"b"


def dtype(code, order):
    made = call(name("numpy", "dtype"), text(code), integer(0), integer(1))
    rest = [NONE, NONE, NONE, integer(-1), integer(-1), integer(0)]
    return made + sequence(integer(3), text(order), *rest) + b"b"


def array(values, core="numpy.core.multiarray", raw=text):
    """Return the opcodes of an array; of objects, if values is a list of opcodes."""
    empty = [name("numpy", "ndarray"), sequence(integer(0)), text("b")]
    made = call(name(core, "_reconstruct"), *empty)
    if isinstance(values, np.ndarray):
        shape, is_fortran = values.shape, np.isfortran(values)
        code, order = values.dtype.str[1:], values.dtype.str[0]
        data = raw(values.tobytes("A"))
    else:
        shape, is_fortran, code, order = (len(values),), False, "O8", "|"
        data = array_list(values)
    sides = sequence(*[integer(side) for side in shape])
    fortran = TRUE if is_fortran else FALSE
    return made + sequence(integer(1), sides, dtype(code, order), fortran, data) + b"b"


def scalar(value, code="<f8", core="numpy.core.multiarray"):
    value = np.array(value, dtype=code)
    kind = dtype(value.dtype.str[1:], value.dtype.str[0])
    return call(name(core, "scalar"), kind, text(value.tobytes()))


def label(value):
    """Return a cell as loadmat made it: (1, 1), or (0, 0) where there is no label."""
    if value is None:
        return array(np.empty((0, 0), dtype="<U1"))
    return array(np.array([[value]]))


def index(package, cls, **state):
    base = name(f"{package}.base", "_new_Index")
    return call(base, name(*cls), mapping(**state, name=NONE))


def frame(columns, n, package="pandas.indexes", numbers=None):
    """Return the opcodes of a DataFrame of columns of objects and one of numbers."""
    objects = [cell for cells in columns.values() for cell in cells]
    flat = array(objects)
    # The block's array has shape (n_columns, n): write it over the flat one's.
    flat = flat.replace(
        sequence(integer(len(objects))),
        sequence(integer(len(columns)), integer(n)),
        1,
    )
    labels = [*columns, "dieSize"]
    numbers = np.ones((1, n)) if numbers is None else numbers
    places = [
        array(np.arange(len(columns), dtype="<i8")),
        call(
            name("__builtin__", "slice"),
            *[integer(len(columns)), integer(len(labels)), integer(1)],
        ),
    ]
    axes = array_list(
        [
            index(
                package,
                (f"{package}.base", "Index"),
                data=array([text(one) for one in labels]),
            ),
            index(
                package,
                (f"{package}.range", "RangeIndex"),
                start=integer(0),
                stop=integer(n),
                step=integer(1),
            ),
        ]
    )
    blocks = [
        mapping(values=values, mgr_locs=place)
        for values, place in zip([flat, array(numbers)], places, strict=True)
    ]
    layout = (
        b"}" + text("0.14.1") + mapping(axes=axes, blocks=array_list(blocks)) + b"s"
    )
    manager = instance(
        name("pandas.core.internals", "BlockManager"),
        sequence(axes, array_list([NONE]), array_list([NONE]), layout),
    )
    state = mapping(_data=manager, _typ=text("dataframe"), _metadata=b"]")
    return instance(name("pandas.core.frame", "DataFrame"), state)


def finish(opcodes):
    return b"\x80\x02" + opcodes + b"."


ROWS = [
    ("Center", "Training"),
    ("none", "Training"),
    (None, None),
    ("Scratch", "Test"),
    ("Near-full", "Training"),
    (None, "Training"),
]


def make_maps():
    rng = np.random.default_rng(0)
    shapes = [(26, 26), (64, 32), (7, 9), (33, 29), (52, 51), (10, 10)]
    maps = [rng.integers(0, 3, shape, dtype=np.uint8) for shape in shapes]
    maps[3] = np.asfortranarray(maps[3])
    return maps


def make_columns(maps=None, rows=ROWS, split="trianTestLabel"):
    maps = make_maps() if maps is None else maps
    return {
        "waferMap": [array(wafer) for wafer in maps],
        "lotName": [text("lot1")] * len(maps),
        "waferIndex": [scalar(3.0)] * len(maps),
        split: [label(part) for _, part in rows],
        "failureType": [label(kind) for kind, _ in rows],
    }


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "LSWMD.pkl"
    file.write_bytes(finish(frame(make_columns(), len(ROWS))))
    return file


def naive_nearest(image, size):
    height, width = image.shape
    rows = [int((i + 0.5) * height / size) for i in range(size)]
    columns = [int((j + 0.5) * width / size) for j in range(size)]
    return image[np.ix_(rows, columns)]


@pytest.mark.parametrize(
    ("subset", "rows"), [("train", [0, 1, 4]), ("test", [3]), ("all", [0, 1, 3, 4])]
)
def test_reads_the_look_alike(path, subset, rows):
    wafers = load_wm811k(path, subset=subset, size=20)
    assert wafers.images.dtype == np.uint8
    assert wafers.target.dtype == np.int64
    assert wafers.target_names.tolist() == list(WAFER_CLASSES)
    assert [str(wafers.target_names[k]) for k in wafers.target] == [
        ROWS[row][0] for row in rows
    ]
    maps = make_maps()
    for image, row in zip(wafers.images, rows, strict=True):
        np.testing.assert_array_equal(image, naive_nearest(maps[row], 20))
    assert "Jyh-Shing Roger Jang" in wafers.DESCR


def test_folder_fail_map_and_unlabeled(path):
    images, target = load_wm811k(
        path.parent,
        subset="all",
        fail_map=True,
        keep_unlabeled=True,
        return_X_y=True,
    )
    assert target.tolist() == [0, 8, -1, 7, 5, -1]
    expected = [naive_nearest(wafer, 32) == 2 for wafer in make_maps()]
    np.testing.assert_array_equal(images, expected)


def test_no_pandas_is_needed(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert len(load_wm811k(path).images) == 3


@pytest.mark.parametrize("package", ["pandas.indexes", "pandas.core.indexes"])
def test_other_spellings(tmp_path, package):
    columns = make_columns(split="trainTestLabel")
    columns["failureType"][2] = text("0")
    columns["failureType"][3] = array(np.array([[b"Scratch"]]))
    columns["failureType"][5] = scalar(0.0)
    columns["failureType"][0] = array([array(np.array(["Center"]))])
    columns["failureType"][1] = scalar("none", "<U4")
    file = tmp_path / "table.pkl"
    file.write_bytes(finish(frame(columns, len(ROWS), package)))
    assert load_wm811k(file, subset="all").target.tolist() == [0, 8, 7, 5]


def encode(raw):
    """Return bytes as Python 3 writes them under protocol 2."""
    unicode = raw.decode("latin1").encode()
    encoded = b"X" + struct.pack("<i", len(unicode)) + unicode
    return call(name("_codecs", "encode"), encoded, text("latin1"))


def test_bytes_of_python_3(tmp_path):
    columns = make_columns()
    columns["waferMap"] = [
        array(wafer, core="numpy._core.multiarray", raw=encode) for wafer in make_maps()
    ]
    file = tmp_path / "table.pkl"
    file.write_bytes(finish(frame(columns, len(ROWS))))
    wafers = load_wm811k(file, size=26)
    np.testing.assert_array_equal(wafers.images[0], make_maps()[0])


MALICIOUS = [
    ("posix", "system"),
    ("os", "system"),
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("pandas.io.pickle", "read_pickle"),
    ("pandas.core.frame", "DataFrame.to_pickle"),
    ("invariant_cluster.datasets._legacy_frame", "Record"),
]


@pytest.mark.parametrize("foreign", MALICIOUS)
def test_foreign_names_are_refused_and_not_run(tmp_path, foreign):
    witness = tmp_path / "witness"
    columns = make_columns()
    columns["lotName"][0] = call(name(*foreign), text(f"touch {witness}"))
    file = tmp_path / "LSWMD.pkl"
    file.write_bytes(finish(frame(columns, len(ROWS))))
    message = rf"LSWMD\.pkl cannot be read.*{'.'.join(foreign)}, which.*was executed"
    with pytest.raises(ValueError, match=message):
        load_wm811k(file)
    assert not witness.exists()


class Evil:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return exec, (f"open({str(self.witness)!r}, 'w')",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_today_are_refused_too(tmp_path, protocol):
    file, witness = tmp_path / "evil.pkl", tmp_path / "witness"
    file.write_bytes(pickle.dumps(Evil(witness), protocol=protocol))
    with pytest.raises(
        ValueError, match=r"evil\.pkl.*refers to .*exec.*nothing was executed"
    ):
        load_wm811k(file)
    assert not witness.exists()


def test_state_of_a_class_is_refused(tmp_path):
    file = tmp_path / "evil.pkl"
    file.write_bytes(finish(name("numpy", "dtype") + mapping(a=NONE) + b"b"))
    with pytest.raises(ValueError, match=r"evil\.pkl cannot be read"):
        load_wm811k(file)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_cut_off_pickle(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"LSWMD\.pkl cannot be read as a pickled"):
        load_wm811k(path)


@pytest.mark.parametrize("content", [b"<html>", pickle.dumps([1]), b"\x80\x02K\x01."])
def test_foreign_content(tmp_path, content):
    file = tmp_path / "LSWMD.pkl"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"LSWMD\.pkl cannot be read as a pickled"):
        load_wm811k(file)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"waferMap": None}, "has no column 'waferMap'"),
        ({"failureType": None}, "has no column 'failureType'"),
        ({"trianTestLabel": None}, "has no column 'trianTestLabel'"),
        ({"failureType": label("Blob")}, "failureType holds 'Blob', not one of"),
        ({"waferMap": text("none")}, "waferMap of row 0: expected an array"),
        ({"waferMap": array(np.full((9, 9), 3, np.uint8))}, "row 0, of shape"),
        ({"waferMap": array(np.zeros(9, np.uint8))}, r"row 0, of shape \(9,\)"),
        ({"waferMap": array(np.zeros(9, complex))}, "arrays of type 'c16'"),
        ({"failureType": array(np.zeros(9, complex))}, "label that is not text"),
        ({"trianTestLabel": label("Validation")}, "no labelled map of subset='train'"),
    ],
)
def test_foreign_tables(tmp_path, changes, message):
    columns = make_columns()
    for column, cell in changes.items():
        columns[column] = [cell] * len(ROWS)
        if cell is None:
            del columns[column]
    file = tmp_path / "LSWMD.pkl"
    file.write_bytes(finish(frame(columns, len(ROWS))))
    with pytest.raises(ValueError, match=rf"LSWMD\.pkl.*{message}"):
        load_wm811k(file)


def test_array_data_of_the_wrong_length(tmp_path):
    columns = make_columns()
    wafer = np.zeros((4, 4), np.uint8)
    columns["waferMap"][0] = array(wafer).replace(
        sequence(integer(4), integer(4)), sequence(integer(4), integer(5))
    )
    file = tmp_path / "LSWMD.pkl"
    file.write_bytes(finish(frame(columns, len(ROWS))))
    with pytest.raises(ValueError, match="waferMap of row 0: cannot reshape"):
        load_wm811k(file)


def make_archive(**changes):
    rng = np.random.default_rng(0)
    arrays = {
        "train_images": rng.integers(0, 3, (9, 64, 64), dtype=np.uint8),
        "train_labels": np.arange(9),
        "test_images": rng.integers(0, 3, (4, 64, 64), dtype=np.uint8),
        "test_labels": np.arange(4),
        "class_names": np.array(WAFER_CLASSES),
    }
    return {**arrays, **changes}


@pytest.mark.parametrize(("subset", "n"), [("train", 9), ("test", 4), ("all", 13)])
def test_reads_the_archive(tmp_path, subset, n):
    arrays = make_archive()
    np.savez(tmp_path / "wm811k.npz", **arrays)
    wafers = load_wm811k(tmp_path, subset=subset, size=32)
    assert wafers.images.shape == (n, 32, 32)
    first = "test" if subset == "test" else "train"
    expected = naive_nearest(arrays[f"{first}_images"][0], 32)
    np.testing.assert_array_equal(wafers.images[0], expected)
    assert f'{n} maps of the part "{subset}" of wm811k.npz' in wafers.DESCR
    fails = load_wm811k(tmp_path, subset=subset, size=32, fail_map=True)
    np.testing.assert_array_equal(fails.images, wafers.images == 2)


@pytest.mark.parametrize("shape", [(9, 64, 64), (9, 64, 64, 3)])
def test_foreign_archive(tmp_path, shape):
    np.savez(
        tmp_path / "wm811k.npz",
        **make_archive(train_images=np.full(shape, 3, dtype=np.uint8)),
    )
    with pytest.raises(
        ValueError, match=r"wm811k\.npz.*values up to 3: wafer maps are"
    ):
        load_wm811k(tmp_path)


def test_missing_files_are_named(tmp_path):
    message = r"looked for .*wm811k\.npz and .*LSWMD\.pkl\. MIR-WM811K"
    with pytest.raises(FileNotFoundError, match=message):
        load_wm811k(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"looked for .*other\.pkl"):
        load_wm811k(tmp_path / "other.pkl")


def test_bad_parameters(path):
    with pytest.raises(ValueError, match="subset='valid' is unknown"):
        load_wm811k(path, subset="valid")
    with pytest.raises(ValueError, match="keep_unlabeled=True needs subset='all'"):
        load_wm811k(path, keep_unlabeled=True)
    with pytest.raises(ValueError, match="size == 4, must be >= 8"):
        load_wm811k(path, size=4)
