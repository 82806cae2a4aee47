"""A picture with 256 colours at most: a page has few, and so it takes less than half the room."""

import base64
import struct
import zlib
from pathlib import Path

from playwright.sync_api import Page

# The commonest colours stay as they are; each of the rest, an edge of a letter, becomes the nearest of them.
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
    const distance = (one, other) => parts(one).reduce((sum, part, at) => sum + (part - parts(other)[at]) ** 2, 0);
    const nearest = one => kept.reduce((best, other, at) =>
        distance(one, other) < distance(one, kept[best]) ? at : best, 0);
    const places = new Map(colours.map((colour, at) => [colour, at < 256 ? at : nearest(colour)]));
    const indexes = Uint8Array.from(pixels, pixel => places.get(pixel));
    const row = at => String.fromCharCode(...indexes.subarray(at * width, (at + 1) * width));
    const rows = Array.from({ length: height }, (_, at) => row(at));
    return [width, height, kept.flatMap(parts), btoa(rows.join(""))];
}"""


def reduce_colours(file: Path, page: Page) -> None:
    """Write the picture anew; `page` is one of its own, where scripts run, and shows nothing."""
    address = f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
    width, height, colours, answer = page.evaluate(COUNT, address)
    indexes = base64.b64decode(answer)
    rows = b"".join(b"\0" + indexes[at : at + width] for at in range(0, len(indexes), width))
    head = struct.pack(
        ">IIBBBBB", width, height, 8, 3, 0, 0, 0
    )  # Eight bits a pixel, each the number of a colour.
    parts = {b"IHDR": head, b"PLTE": bytes(colours), b"IDAT": zlib.compress(rows, 9), b"IEND": b""}
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts.items())
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
