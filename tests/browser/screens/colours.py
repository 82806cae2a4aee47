"""Reduces a picture to 256 colours, which a page seldom exceeds: the file gets half as large."""

import base64
import struct
import zlib
from pathlib import Path

from playwright.sync_api import Page

# The commonest colours stay; each other one, at the edge of a letter, becomes the nearest.
COUNT = """async address => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    const counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
    const kept = colours.slice(0, 256);
    const parts = colour => [colour & 255, colour >> 8 & 255, colour >> 16 & 255];
    const distance = (left, right) =>
        parts(left).reduce((sum, part, at) => sum + (part - parts(right)[at]) ** 2, 0);
    const nearest = colour => kept.reduce((best, other, at) =>
        distance(colour, other) < distance(colour, kept[best]) ? at : best, 0);
    const places = new Map(colours.map((colour, at) => [colour, at < 256 ? at : nearest(colour)]));
    const indexes = Uint8Array.from(pixels, pixel => places.get(pixel));
    const row = at => String.fromCharCode(...indexes.subarray(at * width, (at + 1) * width));
    const rows = Array.from({ length: height }, (_, at) => row(at));
    return [width, height, kept.flatMap(parts), btoa(rows.join(""))];
}"""


def reduce_colours(file: Path, page: Page) -> None:
    """Writes the picture anew; `page` is an empty page in which scripts run."""
    address = f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
    width, height, colours, answer = page.evaluate(COUNT, address)
    indexes = base64.b64decode(answer)
    rows = b"".join(b"\0" + indexes[at : at + width] for at in range(0, len(indexes), width))
    # Eight bits for a pixel, which hold the number of its colour.
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = {b"IHDR": head, b"PLTE": bytes(colours), b"IDAT": zlib.compress(rows, 9), b"IEND": b""}
    chunks = [_chunk(kind, data) for kind, data in parts.items()]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
