import struct
import zlib

import numpy as np
import pytest


def make_chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


@pytest.fixture
def write_png():
    """Write a PNG of any depth, colour type and transparent colour, bit by bit."""

    def write(path, samples, *, depth, colour_type, transparent=None):
        height, width = samples.shape[:2]
        rows = samples.reshape(height, -1)
        if depth == 16:
            rows = rows.astype(">u2").view(np.uint8).reshape(height, -1)
        elif depth < 8:
            bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=2)
            rows = np.packbits(bits[..., 8 - depth :].reshape(height, -1), axis=1)
        lines = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in rows)
        header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
        chunks = [make_chunk(b"IHDR", header)]
        if transparent is not None:
            data = struct.pack(f">{len(transparent)}H", *transparent)
            chunks.append(make_chunk(b"tRNS", data))
        chunks.append(make_chunk(b"IDAT", zlib.compress(lines)))
        chunks.append(make_chunk(b"IEND", b""))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))

    return write


@pytest.fixture
def rng():
    return np.random.default_rng(0)
