"""Reading of a pickle as records, without executing anything in it."""

from __future__ import annotations

import pickle
import re
from itertools import product
from pathlib import Path
from typing import Any


class Record:
    """Placeholder of a pickled object that keeps its arguments and does nothing.

    Attributes
    ----------
    args : tuple
        Arguments with which the pickle would call the object.
    state : object
        State that the pickle would set, or None.
    """

    __slots__ = ("args", "state")
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> Record:
        record = super().__new__(cls)
        record.args = args
        record.state = None
        return record

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ArrayRecord(Record):
    """Record of an array, pickled as ``numpy.core.multiarray._reconstruct``.

    Its state holds version, shape, dtype, memory order and data.
    """

    __slots__ = ()


class BufferRecord(ArrayRecord):
    """Record of an array as of protocol 5, ``numpy.core.numeric._frombuffer``.

    Its arguments are data, dtype, shape and memory order.
    """

    __slots__ = ()


class ScalarRecord(Record):
    """Record of a number, pickled as ``numpy.core.multiarray.scalar(dtype, data)``."""

    __slots__ = ()


class BackedRecord(Record):
    """Record of a pandas array around a NumPy one; its state holds dtype and values.

    Text that pandas keeps as Python objects, categories and dates are pickled so.
    """

    __slots__ = ()


class ArrowRecord(Record):
    """Record of an Arrow array, pickled as ``pyarrow.lib._restore_array``.

    Its argument holds type, length, number of nulls, offset and buffers.
    """

    __slots__ = ()


class ChunksRecord(Record):
    """Record of an Arrow array in chunks; its first argument holds the chunks."""

    __slots__ = ()


_CORES = ("numpy.core", "numpy._core")
_BUILTINS = ("__builtin__", "builtins")
_ADMITTED: dict[tuple[str, str], type[Record]] = {
    **{(f"{core}.multiarray", "_reconstruct"): ArrayRecord for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): ScalarRecord for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): BufferRecord for core in _CORES},
    **dict.fromkeys(product(["numpy"], ["ndarray", "dtype"]), Record),
    **dict.fromkeys(
        product(_BUILTINS, ["slice", "bytes", "bytearray", "object"]), Record
    ),
    # Protocols 0 and 1 make instances this way.
    **dict.fromkeys(product(["copy_reg", "copyreg"], ["_reconstructor"]), Record),
    # Python 3 encodes bytes this way under protocol 2.
    ("_codecs", "encode"): Record,
    ("pyarrow.lib", "_restore_array"): ArrowRecord,
    ("pyarrow.lib", "chunked_array"): ChunksRecord,
    ("pyarrow.lib", "py_buffer"): Record,
    ("pyarrow.lib", "type_for_alias"): Record,
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"): BackedRecord,
}
# pandas moves its classes from module to module, and keeps their names.
_OF_PANDAS = re.compile(
    r"DataFrame|BlockManager|_unpickle_block|NA|_new_(Datetime)?Index"
    r"|(Int64|Float64|Range|Multi|Categorical|Datetime)?Index"
    r"|(String|Arrow|Boolean|Categorical|U?Int\d+|Float\d+)Dtype"
    r"|(String|ArrowString)Array(NumpySemantics)?|Categorical"
    r"|(ArrowExtension|Boolean|Integer|Floating|Datetime)Array"
)


class _ForeignGlobalError(pickle.UnpicklingError):
    """The pickle refers to a name that a table of arrays does not need."""


class _RecordingUnpickler(pickle.Unpickler):
    """Unpickler that resolves admitted names to records and refuses all others."""

    def find_class(self, module: str, name: str) -> type[Record]:
        """Return the record class of an admitted name."""
        if module.partition(".")[0] == "pandas" and _OF_PANDAS.fullmatch(name):
            return Record
        if (module, name) not in _ADMITTED:
            raise _ForeignGlobalError(
                f"it refers to {module}.{name}, which a pickled table of arrays does "
                "not need; nothing was executed"
            )
        return _ADMITTED[module, name]


def read_records(path: Path) -> Any:
    """Return what a pickle holds, with a record in place of each object.

    Parameters
    ----------
    path : Path
        A pickle of Python 2 or 3, of any protocol.

    Returns
    -------
    object
        A record, or a str, number, list, tuple or dict.

    Raises
    ------
    pickle.UnpicklingError
        If the pickle names something that a table of arrays does not need.
    Exception
        Other errors of the unpickler, if the file is damaged.

    See Also
    --------
    read_columns : Read columns of a pickled table.
    """
    with path.open("rb") as file:
        # Python 2 wrote array data as str; latin1 restores the bytes.
        return _RecordingUnpickler(file, encoding="latin1").load()
