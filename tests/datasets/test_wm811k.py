"""WM811k is read from an archive, and from look-alikes of the published pickle.

The published LSWMD.pkl is not at hand. The look-alikes are written opcode by opcode as
Python 2 and pandas 0.19 wrote tables: protocol 2, array data as byte strings, modules
by their old names. Naming what a file may not name needs no such module here either.
Tables that pandas saves anew are written by the installed pandas.
"""

import pickle
import struct
import sys

import numpy as np
import pandas as pd
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


def make_frame(maps=None, rows=ROWS, **more):
    """Return the table in memory, with labels as loadmat made them."""
    maps = make_maps() if maps is None else maps
    cells = [[np.array([[one]] if one else [[]]) for one in row] for row in rows]
    return pd.DataFrame(
        {
            "waferMap": maps,
            "dieSize": np.arange(float(len(maps))),
            "lotName": [f"lot{number}" for number in range(len(maps))],
            "trianTestLabel": [part for _, part in cells],
            "failureType": [kind for kind, _ in cells],
            **more,
        }
    )


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


TABLES = {
    "as it is": lambda table: table,
    "of its labelled rows": lambda table: table[[kind is not None for kind, _ in ROWS]],
    "indexed anew": lambda table: table[::-1].reset_index(),
    "indexed by lot": lambda table: table.set_index("lotName"),
    "indexed by two columns": lambda table: table.set_index(["lotName", "dieSize"]),
    "of two columns turned": lambda table: table[
        ["failureType", "trianTestLabel", "waferMap"]
    ],
    "with columns of objects": lambda table: table.set_axis(
        table.columns.astype(object), axis=1
    ),
    "with columns of all kinds": lambda table: table.assign(
        flag=True,
        day=pd.Timestamp("2020-01-01"),
        count=pd.array([1, None, 2, 3, 4, 5], dtype="Int64"),
        share=pd.array([1.5, None, 2, 3, 4, 5], dtype="Float64"),
        is_old=pd.array([True, None] * 3, dtype="boolean"),
        tool=pd.Categorical(list("abcabc")),
        note=pd.array(["é", None] * 3, dtype="string[python]"),
        waferIndex=np.arange(6, dtype=np.int8),
    ),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", TABLES)
def test_table_saved_by_the_installed_pandas(tmp_path, kind, protocol):
    table = TABLES[kind](make_frame())
    table.to_pickle(tmp_path / "clean.pkl", protocol=protocol)
    options = {"subset": "all", "keep_unlabeled": True, "size": 20}
    saved = load_wm811k(tmp_path / "clean.pkl", **options)
    for image, wafer in zip(saved.images, table["waferMap"], strict=True):
        np.testing.assert_array_equal(image, naive_nearest(wafer, 20))
    names = [*saved.target_names, None]
    expected = [next(iter(cell.ravel()), None) for cell in table["failureType"]]
    assert [names[target] for target in saved.target] == expected
    in_memory = load_wm811k(table, **options)
    np.testing.assert_array_equal(saved.images, in_memory.images)
    np.testing.assert_array_equal(saved.target, in_memory.target)
    assert "of clean.pkl" in saved.DESCR
    assert "of a DataFrame" in in_memory.DESCR


def test_table_of_pandas_1(path):
    """It has the blocks of pandas 0.19, under another name."""
    expected = load_wm811k(path, subset="all")
    content = path.read_bytes()
    path.write_bytes(content.replace(text("_data"), text("_mgr")))
    assert path.read_bytes() != content
    found = load_wm811k(path, subset="all")
    np.testing.assert_array_equal(found.images, expected.images)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_cut_off_tables_of_the_installed_pandas(tmp_path, protocol):
    file = tmp_path / "table.pkl"
    make_frame().to_pickle(file, protocol=protocol)
    content = file.read_bytes()
    for n_bytes in np.linspace(0, len(content) - 1, 60).astype(int):
        file.write_bytes(content[:n_bytes])
        with pytest.raises(ValueError, match=r"table\.pkl cannot be read as a pickled"):
            load_wm811k(file)


OLD_NAMES = {
    b"pandas\nDataFrame\n": b"pandas.core.frame\nDataFrame\n",
    b"pandas\nIndex\n": b"pandas.core.indexes.base\nIndex\n",
    b"pandas\nRangeIndex\n": b"pandas.core.indexes.range\nRangeIndex\n",
    b"numpy._core.": b"numpy.core.",
}


def test_table_saved_by_pandas_2(tmp_path):
    """Its blocks are those of pandas 3, under the names of the modules."""
    table = TABLES["with columns of objects"](make_frame().drop(columns="lotName"))
    saved = pickle.dumps(table, protocol=2)
    for name_of_today, name_of_then in OLD_NAMES.items():
        saved = saved.replace(name_of_today, name_of_then)
    assert b"pandas\n" not in saved
    assert b"pandas.core.frame\n" in saved
    (tmp_path / "old.pkl").write_bytes(saved)
    wafers = load_wm811k(tmp_path / "old.pkl", subset="all", size=20)
    np.testing.assert_array_equal(
        wafers.images, load_wm811k(table, subset="all", size=20).images
    )


LABELS = ["Center", None, "none", "Scratch", None, "Edge-Ring"]
STORED = {
    "nested arrays": lambda: [np.array([[one]] if one else []) for one in LABELS],
    "lists": lambda: [[one] if one else [] for one in LABELS],
    "text": lambda: LABELS,
    "objects": lambda: pd.Series(LABELS, dtype=object),
    "empty text": lambda: [one or "" for one in LABELS],
    "-1": lambda: [one or -1 for one in LABELS],
    "0": lambda: [one or 0 for one in LABELS],
    "nan": lambda: [one or np.nan for one in LABELS],
    "text of -1": lambda: [one or "-1" for one in LABELS],
    "categories": lambda: pd.Categorical(LABELS),
    "string[python]": lambda: pd.array(LABELS, dtype="string[python]"),
    "string[pyarrow]": lambda: pd.array(LABELS, dtype="string[pyarrow]"),
    "string[pyarrow], a part": lambda: pd.array(
        ["Loc", *LABELS, None], dtype="string[pyarrow]"
    )[1:7],
    "string[pyarrow], joined": lambda: pd.concat(
        [pd.Series(part, dtype="string[pyarrow]") for part in (LABELS[:2], LABELS[2:])],
        ignore_index=True,
    ),
}


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("stored", STORED)
def test_how_labels_are_stored(tmp_path, stored, in_memory):
    if "pyarrow" in stored:
        pytest.importorskip("pyarrow")
    given = make_frame(failureType=STORED[stored]())
    if not in_memory:
        given.to_pickle(tmp_path / "table.pkl")
        given = tmp_path / "table.pkl"
    wafers = load_wm811k(given, subset="all", keep_unlabeled=True)
    names = [*wafers.target_names, None]
    assert [names[target] for target in wafers.target] == LABELS


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize(
    "store",
    [
        lambda wafer: wafer.astype(np.int64),
        lambda wafer: wafer.astype(np.float32),
        lambda wafer: wafer.tolist(),
        lambda wafer: np.array([*wafer, None], dtype=object)[:-1],
        lambda wafer: [*wafer],
    ],
    ids=["int64", "float32", "lists", "array of rows", "list of rows"],
)
def test_how_maps_are_stored(tmp_path, store, in_memory):
    given = make_frame(maps=[store(wafer) for wafer in make_maps()])
    if not in_memory:
        given.to_pickle(tmp_path / "table.pkl")
        given = tmp_path / "table.pkl"
    expected = load_wm811k(make_frame(), subset="all").images
    np.testing.assert_array_equal(load_wm811k(given, subset="all").images, expected)


def test_a_table_without_labels(tmp_path):
    table = make_frame()[["waferMap", "dieSize"]]
    table.to_pickle(tmp_path / "maps.pkl")
    for given in (table, tmp_path / "maps.pkl"):
        wafers = load_wm811k(given, subset="all", keep_unlabeled=True)
        assert wafers.target.tolist() == [-1] * 6
        assert wafers.images.shape == (6, 32, 32)
        with pytest.raises(
            ValueError,
            match=r"no column 'failureType': read its maps without labels with "
            r"subset='all' and keep_unlabeled=True",
        ):
            load_wm811k(given)


def test_a_table_without_parts(tmp_path):
    table = make_frame().drop(columns="trianTestLabel")
    assert load_wm811k(table, subset="all").target.tolist() == [0, 8, 7, 5]
    with pytest.raises(
        ValueError, match=r"DataFrame has no column 'trianTestLabel'.*subset='all'"
    ):
        load_wm811k(table, subset="test")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"failureType": [3] * 6}, r"failureType holds '3', not one of .*names"),
        ({"failureType": ["Blob"] * 6}, "failureType holds 'Blob', not one of"),
        ({"failureType": [None] * 6}, r"no labelled map of.*keep_unlabeled=True"),
        ({"maps": ["map"] * 6}, r"waferMap of row 0: expected an array, found str\."),
        ({"maps": [None] * 6}, "waferMap of row 0: expected an array, found NoneType"),
        ({"maps": [np.full((9, 9), 3)] * 6}, "row 0, int64 of shape .* is not a map"),
        ({"maps": [np.array([["0"]])] * 6}, "row 0, <U1 of shape .* is not a map"),
        ({"maps": [[[0, 1], [2]]] * 6}, "waferMap of row 0: .*Give maps"),
    ],
)
def test_foreign_frames(tmp_path, changes, message):
    table = make_frame(**changes)
    table.to_pickle(tmp_path / "table.pkl")
    for given in (table, tmp_path / "table.pkl"):
        with pytest.raises(ValueError, match=rf"(the DataFrame|table\.pkl).*{message}"):
            load_wm811k(given, subset="all")


def test_frames_of_other_columns(tmp_path):
    with pytest.raises(
        ValueError, match=r"DataFrame has no column 'waferMap'.*WM-811K"
    ):
        load_wm811k(pd.DataFrame({"a": [1, 2]}))
    table = make_frame()
    twice = pd.concat([table, table[["waferMap"]]], axis=1)
    with pytest.raises(ValueError, match="has 2 columns 'waferMap': keep one"):
        load_wm811k(twice)
    for columns in (range(5), pd.MultiIndex.from_product([["a"], list("bcdef")])):
        table.set_axis(columns, axis=1).to_pickle(tmp_path / "table.pkl")
        with pytest.raises(ValueError, match=r"table\.pkl has no column 'waferMap'"):
            load_wm811k(tmp_path / "table.pkl")
    for given in (table["waferMap"], [1], 3):
        with pytest.raises(TypeError, match=r"path is of type .*a column 'waferMap'"):
            load_wm811k(given)


MALICIOUS = [
    ("posix", "system"),
    ("os", "system"),
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("pyarrow.lib", "memory_map"),
    ("pandas", "eval"),
    ("pandas", "read_pickle"),
    ("pandas.io.pickle", "read_pickle"),
    ("pandas.core.frame", "DataFrame.to_pickle"),
    ("invariant_cluster.datasets._pickle_records", "Record"),
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
        return exec, (f"import os; os.mknod({str(self.witness)!r})",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_today_are_refused_too(tmp_path, protocol):
    file, witness = tmp_path / "evil.pkl", tmp_path / "witness"
    file.write_bytes(pickle.dumps(Evil(witness), protocol=protocol))
    with pytest.raises(
        ValueError, match=r"evil\.pkl.*refers to .*exec.*nothing was executed"
    ):
        load_wm811k(file)
    assert not witness.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("place", ["cell", "map", "index", "attribute"])
def test_nothing_in_a_table_is_run(tmp_path, place, protocol):
    file, witness = tmp_path / "evil.pkl", tmp_path / "witness"
    table = make_frame()
    if place == "attribute":
        table.attrs["note"] = Evil(witness)
    elif place == "index":
        table.index = pd.Index([*range(5), Evil(witness)], dtype=object)
    else:
        column = "waferMap" if place == "map" else "lotName"
        table[column] = pd.Series([*table[column][:5], Evil(witness)], dtype=object)
    table.to_pickle(file, protocol=protocol)
    with pytest.raises(ValueError, match=r"evil\.pkl.*exec.*nothing was executed"):
        load_wm811k(file)
    assert not witness.exists()
    pickle.loads(file.read_bytes())  # the file would run it
    assert witness.exists()


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
        ({"waferMap": array(np.full((9, 9), 3, np.uint8))}, "row 0, uint8 of shape"),
        ({"waferMap": array(np.zeros(9, np.uint8))}, r"row 0, uint8 of shape \(9,\)"),
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


def make_mixed(tmp_path, **changes):
    rng = np.random.default_rng(0)
    labels = np.zeros((12, 8), np.int64)
    labels[np.arange(8), np.arange(8)] = 1
    arrays = {"arr_0": rng.integers(0, 4, (12, 52, 52)), "arr_1": labels} | changes
    np.savez(tmp_path / "MixedWM38.npz", **arrays)
    return arrays


def test_mixed_wm38_is_recognized(tmp_path):
    arrays = make_mixed(tmp_path)
    wafers = load_wm811k(tmp_path / "MixedWM38.npz", size=52)
    np.testing.assert_array_equal(wafers.images, np.minimum(arrays["arr_0"], 2))
    np.testing.assert_array_equal(wafers.labels, arrays["arr_1"])
    assert len(wafers.target_names) == 38
    assert "12 maps of MixedWM38.npz" in wafers.DESCR
    assert load_wm811k(tmp_path / "MixedWM38.npz").images.shape == (12, 32, 32)
    with pytest.raises(ValueError, match=r"MixedWM38, which has no test.*'all'"):
        load_wm811k(tmp_path / "MixedWM38.npz", subset="test")


def test_further_combinations_of_defects_are_classes(tmp_path):
    labels = np.zeros((12, 8), np.int64)
    labels[3, [0, 7]] = labels[5, [0, 1, 2]] = labels[6, [0, 7]] = 1
    make_mixed(tmp_path, arr_1=labels)
    with pytest.warns(UserWarning, match=r"2 combinations.*Center\+Random: check"):
        wafers = load_wm811k(tmp_path / "MixedWM38.npz")
    assert wafers.target.tolist() == [0, 0, 0, 38, 0, 39, 38, 0, 0, 0, 0, 0]
    assert wafers.target_names[38:].tolist() == [
        "Center+Random",
        "Center+Donut+Edge-Loc",
    ]


def test_other_archives_are_not_taken_for_mixed_wm38(tmp_path):
    np.savez(tmp_path / "some.npz", arr_0=np.zeros((3, 9, 9)))
    with pytest.raises(ValueError, match=r"some\.npz .* 'train_images' among its keys"):
        load_wm811k(tmp_path / "some.npz")
    make_mixed(tmp_path, arr_0=np.zeros((3, 9)))
    with pytest.raises(ValueError, match=r"MixedWM38\.npz: arr_0 is float64 of shape"):
        load_wm811k(tmp_path / "MixedWM38.npz")


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
