"""What an image holds is read from its layers, as a real engine hands them out."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from plugins.endpoints import layers
from plugins.endpoints.docker import Docker
from plugins.hosts import Host
from plugins.outcomes import NotThere, TooBig, ToolMissing
from plugins.worlds.dockerd import Dockerd, borrowed

NAMES = ("sha256sum", "shasum")


def packed(files: dict[str, bytes | str], mode: str = "w") -> bytes:
    """Return a tar; a text is where a link leads."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size, entry.mode = len(content), 0o755
                archive.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def image(*contents: bytes) -> list[bytes]:
    """Return an image's archive in small pieces, the lowest layer last in it."""
    names = [f"blobs/{number}" for number in range(len(contents))]
    manifest = json.dumps([{"Layers": names}]).encode()
    ordered = dict(reversed(list(zip(names, contents, strict=True))))
    whole = packed({**ordered, "manifest.json": manifest})
    return [whole[start : start + 700] for start in range(0, len(whole), 700)]


LINKED = packed({"bin/busybox": b"x", "usr/bin/sha256sum": "/bin/busybox"})


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ((LINKED,), {"sha256sum"}),
        ((packed({"./usr/bin/shasum": b"#!"}),), {"shasum"}),
        ((packed({"usr/local/bin/shasum": b"#!"}, "w:gz"),), {"shasum"}),
        ((packed({"opt/sha256sum": b"x", "usr/bin/sha256": b"x"}),), set()),
        ((LINKED, packed({"usr/bin/.wh.sha256sum": b""})), set()),
        ((LINKED, packed({"usr/.wh.bin": b""})), set()),
        ((LINKED, packed({"usr/bin/.wh..wh..opq": b"", "usr/bin/shasum": b"x"})), {"shasum"}),
        ((packed({"usr/bin/.wh.sha256sum": b""}), LINKED), {"sha256sum"}),
        ((LINKED, b"no layer at all"), {"sha256sum"}),
    ],
)
def test_layers_are_laid_over_each_other(contents: tuple[bytes, ...], expected: set[str]) -> None:
    assert layers.programs(image(*contents), NAMES, 1 << 20) == expected


def test_an_image_over_the_limit_is_not_taken_in() -> None:
    with pytest.raises(layers.Overflow):
        layers.programs(image(LINKED), NAMES, 2000)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b'[{"Layers": 5}]', b"nonsense"])
def test_an_archive_of_another_shape_is_told(manifest: bytes) -> None:
    with pytest.raises((ValueError, tarfile.TarError)):
        layers.programs([packed({"manifest.json": manifest})], NAMES, 1 << 20)


@pytest.fixture
def engine() -> Iterator[Dockerd]:
    try:
        lent = borrowed()
    except ToolMissing as why:
        pytest.skip(str(why))
    yield lent
    lent.release()


def test_what_was_removed_in_a_real_image_is_gone(engine: Dockerd) -> None:
    engine.docker("import", "-", "one:latest", stdin=LINKED)
    engine.image("real:latest", 0)
    ask = Docker(Host(), engine.url)
    assert ask.programs_in("one:latest", NAMES, limit=1 << 20) == {"sha256sum"}
    with pytest.raises(TooBig):
        ask.programs_in("real:latest", NAMES, limit=1000)
    with pytest.raises(NotThere):
        ask.programs_in("none:latest", NAMES, limit=1 << 20)
    linked = ("sh", "-c", "/bin/busybox mkdir -p /usr/bin; /bin/busybox ln -s x /usr/bin/shasum")
    made = engine.run("maker", command=linked)
    engine.docker("wait", made)
    engine.docker("commit", made, "two:latest")
    remove = engine.run("remover", command=("rm", "/usr/bin/shasum"), image="two:latest")
    engine.docker("wait", remove)
    engine.docker("commit", remove, "three:latest")
    assert ask.programs_in("two:latest", NAMES, limit=64 << 20) == {"shasum"}
    assert ask.programs_in("three:latest", NAMES, limit=64 << 20) == frozenset()
