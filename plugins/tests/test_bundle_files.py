"""The file of a bundle: the same for the same content, and harmless when it comes from anybody."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from plugins.bundle import packing
from plugins.bundle.packing import NoBundle, content_of, packed, unpacked

GOOD = {"manifest.json": b"{}", "facts/host.json": b"x" * 3000, "collected/host/a.txt": b""}


def test_a_bundle_is_the_same_whatever_the_order_and_comes_back() -> None:
    first = packed(GOOD, 1e9)
    assert packed(dict(sorted(GOOD.items(), reverse=True)), 1e9) == first
    assert unpacked(first) == GOOD
    plain = zstandard.ZstdDecompressor().decompress(first)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        names = [(one.name, one.mode, one.uid, one.uname) for one in tar]
    assert names[0] == ("manifest.json", 0o600, 0, "")
    assert [name for name, *_ in names[1:]] == sorted(GOOD.keys() - {"manifest.json"})


def tarred(*entries: tarfile.TarInfo, manifest: bool = True) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in (*([tarfile.TarInfo("manifest.json")] if manifest else []), *entries):
            tar.addfile(entry, io.BytesIO(b"\0" * entry.size) if entry.size else None)
    return zstandard.compress(held.getvalue())


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, "/etc/passwd"
    return made


def hostile() -> Iterator[tuple[str, bytes]]:
    yield "a link", tarred(entry("a.txt", tarfile.SYMTYPE))
    yield "a hard link", tarred(entry("a.txt", tarfile.LNKTYPE))
    yield "a device", tarred(entry("a.txt", tarfile.CHRTYPE))
    yield "a folder", tarred(entry("a", tarfile.DIRTYPE))
    for name in (
        "../a",
        "/etc/passwd",
        "a/../../b",
        "a//b",
        "A.txt",
        "a\x1b[31m",
        ".a",
        "a" * 5000,
    ):
        yield repr(name)[:20], tarred(entry(name))
    yield "twice", tarred(entry("a.txt"), entry("a.txt"))
    yield "no manifest", tarred(entry("a.txt"), manifest=False)
    yield "many", tarred(*(entry(f"a{n}") for n in range(2100)))
    yield "a large file", tarred(entry("a.txt", size=packing.LARGEST_FILE + 1))
    yield "long headers", tarred(*(entry("b" * 200 + f"{n}") for n in range(2100)), manifest=False)
    yield "no tar", zstandard.compress(b"hello" * 1000)
    yield "no zstd", b"hello" * 1000
    yield "empty", b""
    whole = packed(GOOD, 0)
    yield "cut", whole[:-20]
    yield "altered", whole[:-8] + bytes(8)


@pytest.mark.parametrize(
    ("what", "content"), [*hostile()], ids=lambda v: v if type(v) is str else ""
)
def test_what_is_no_bundle_is_refused(what: str, content: bytes) -> None:
    with pytest.raises(NoBundle):
        unpacked(content)


def test_a_small_file_of_endless_zeros_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST", 8 << 20)
    compressor = zstandard.ZstdCompressor().compressobj()
    zeros = [compressor.compress(b"\0" * (1 << 20)) for _ in range(64)]
    bomb = b"".join((*zeros, compressor.flush()))
    assert len(bomb) < 100_000
    with pytest.raises(NoBundle, match="more than 8 MiB"):
        unpacked(tarred(entry("a.txt", size=packing.LARGEST_FILE)))
    with pytest.raises(NoBundle):
        unpacked(bomb)


def test_a_large_window_is_not_given_memory() -> None:
    greedy = zstandard.ZstdCompressionParameters.from_level(3, window_log=30, enable_ldm=True)
    packed_by = zstandard.ZstdCompressor(compression_params=greedy).compressobj()
    content = packed_by.compress(b"x" * 1000) + packed_by.flush()
    with pytest.raises(NoBundle):
        unpacked(content)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", ".", "none"):
        with pytest.raises(NoBundle):
            content_of(tmp_path / name)
