"""Members are counted in a tar that comes in pieces of any length, as tarfile counts them in the whole."""

import io
import tarfile
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.counting import MemberCount

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, b"Z"]
MEMBERS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b" * 90, "d/" * 40 + "e" * 60, "\u00e9"]), st.sampled_from(KINDS), st.integers(0, 1300)
    )
)


def tar_of(members: list[tuple[str, bytes, int]], form: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for name, kind, size in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "x", size if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"\1" * size))
    return stream.getvalue()


def has_more_than(most: int, data: bytes, pieces: int) -> bool:
    count = MemberCount(most)
    try:
        for at in range(0, len(data), pieces):
            count.take(data[at : at + pieces])
    except PackageError as error:
        assert f"more than {most} members" in str(error)  # noqa: PT017 - of the one that may be raised
        return True
    return False


@given(MEMBERS, st.sampled_from(FORMATS), st.integers(1, 5000))
def test_it_counts_as_tarfile_does(members: list[tuple[str, bytes, int]], form: int, pieces: int) -> None:
    data = tar_of(members, form)
    assert not has_more_than(len(members), data, pieces)
    assert not members or has_more_than(len(members) - 1, data, pieces)


@given(st.binary(max_size=3000), st.integers(1, 700))
def test_what_is_no_tar_is_nobodys_member(data: bytes, pieces: int) -> None:
    assert not has_more_than(0, data, pieces)


@pytest.mark.parametrize("size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"7" * 11 + b"\0"])
def test_a_size_that_is_none_ends_no_count_in_disaster(size: bytes) -> None:
    block = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with suppress(PackageError):
        MemberCount(5).take(bytes(block) * 10)
