"""Where the sound of a WAVE or AIFF file stands, how long its header says that it is, and how long it is.

Conventions
-----------
- Lengths are bytes. A writer that cannot go back, as into a pipe, writes a length that stands for "to the end".
- A file that is cut short is one whose sound is announced longer than it is, by a length that means one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Literal, NamedTuple

_CHUNKED: Mapping[tuple[bytes, bytes], tuple[Literal["little", "big"], bytes]] = {
    (b"RIFF", b"WAVE"): ("little", b"data"),
    (b"RF64", b"WAVE"): ("little", b"data"),
    (b"RIFX", b"WAVE"): ("big", b"data"),
    (b"FORM", b"AIFF"): ("big", b"SSND"),
    (b"FORM", b"AIFC"): ("big", b"SSND"),
}
_IN_DS64 = 0xFFFFFFFF  # in RF64 the real length stands in the ds64 chunk
_UNKNOWN = (0x7F000008, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What SoX, arecord, ffmpeg and others write into a pipe for a length that they do not know, give or take a header."""


class SoundChunk(NamedTuple):
    """The sound of a WAVE or AIFF file: where its length stands and how wide, what it says, how much there is."""

    at: int
    width: int
    order: Literal["little", "big"]
    announced: int
    there: int
    followed: bool

    @property
    def untold(self) -> bool:
        """Whether the length is 0 or, of 8 bytes, the largest, although sound follows and no other chunk."""
        return self.announced in (0, (1 << 64) - 1) and self.there > 0 and not self.followed

    @property
    def missing(self) -> int:
        """Bytes that are announced and not there."""
        unknown = any(abs(mark - self.announced) < 128 for mark in _UNKNOWN)
        return 0 if unknown else max(0, self.announced - self.there)


def sound_chunk(file: BinaryIO, size: int) -> SoundChunk | None:
    """The sound of an open file of so many bytes; None for other formats."""
    head = file.read(12)
    if (head[:4], head[8:]) not in _CHUNKED:
        return None
    order, data = _CHUNKED[head[:4], head[8:]]
    long_at, long_length = 0, 0
    while len(chunk := file.read(8)) == 8:
        start, length = file.tell(), int.from_bytes(chunk[4:], order)
        if chunk[:4] == b"ds64":
            long_at, long_length = start + 8, int.from_bytes(file.read(16)[8:], order)
        elif chunk[:4] == data:
            at, width = start - 4, 4
            if length == _IN_DS64 and long_at:
                at, width, length = long_at, 8, long_length
            followed = length == 0 and _chunks_only(file, start, size, order)
            return SoundChunk(at, width, order, length, size - start, followed)
        file.seek(start + length + length % 2)  # chunks are padded to an even length
    return None


def _chunks_only(file: BinaryIO, start: int, size: int, order: Literal["little", "big"]) -> bool:
    """Whether nothing but whole chunks stands from there to the end of the file."""
    while start < size:
        file.seek(start)
        chunk = file.read(8)
        if len(chunk) < 8 or not all(32 <= letter < 127 for letter in chunk[:4]):
            return False
        length = int.from_bytes(chunk[4:], order)
        start += 8 + length + length % 2
    return start - size in (0, 1)  # the last one's padding may be absent
