"""Artifacts: kept once, whole or not at all, and never lost while anybody refers to them."""

import errno
import os
import threading
from base64 import b64encode

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from cloaca_nb.errors import HistoryError
from cloaca_nb.history.artifacts import INLINE, ArtifactStore, Kept, artifacts_folder
from cloaca_nb.history.shelf import FileShelf
from cloaca_nb.values import codec, describe, equal, large_frames

FRAME = pd.DataFrame({"a": np.arange(2000), "s": ["x"] * 2000})


@pytest.fixture
def folder(tmp_path):
    return artifacts_folder(tmp_path / "history.duckdb")


@pytest.fixture(params=["memory", "file"])
def store(request, folder):
    return ArtifactStore(None if request.param == "memory" else folder)


def keep(store, value):
    description = describe(value)
    return description.digest, store.keep(value, description.digest, description.size)


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


VALUES = [
    3,
    {"a": [1.5, None]},
    FRAME,
    {"f": FRAME, "n": 1},
    np.arange(9999),
    "x" * INLINE * 2,
    len,
    b"ab",
    (FRAME, len),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_comes_back(store, value):
    digest, kept = keep(store, value)
    assert kept.problem == ""
    assert keep(store, value) == (digest, kept)
    found = store.load(digest, kept, allow_pickle=True)
    assert type(found) is type(value)
    assert equal(found, value)


def test_small_values_stand_in_their_rows(folder):
    store = ArtifactStore(folder)
    assert keep(store, {"a": 1})[1] == Kept("json", '{"a":1}')
    assert keep(store, FRAME.iloc[:2])[1].codec == "pandas"
    assert not folder.exists()


def test_a_frame_is_one_file_however_many_values_hold_it(folder):
    store = ArtifactStore(folder)
    digest, _ = keep(store, FRAME)
    whole, _ = keep(store, {"train": FRAME, "again": [FRAME]})
    assert files(folder) == sorted([f"{digest}.pandas", f"{whole}.json"])


def test_what_a_task_leaves_alone_of_a_large_frame_is_kept_once(folder, monkeypatch):
    monkeypatch.setattr(large_frames, "LARGE", 100_000)
    store = ArtifactStore(folder)
    frame = pd.DataFrame({f"x{place}": np.random.default_rng(place).random(9999) for place in range(10)})
    described = store.describe(frame)
    assert store.keep(frame, described.digest, described.size) == keep(ArtifactStore(None), frame)[1]
    before = folder_bytes(folder)
    frame["late"] = frame["x1"] > frame["x2"]
    digest, kept = keep(store, frame)
    assert before > 800_000
    assert folder_bytes(folder) - before < 20_000
    found = store.load(digest, kept)
    assert equal(found, frame)
    found.loc[:, "x1"] = 0.0
    assert equal(store.load(digest, kept), frame)
    assert store.remove_unused([digest], grace=0) < 5_000, "the first frame's list of columns, and no column"
    assert equal(store.load(digest, kept), frame)


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_a_reader_changes_stays_its_own(folder):
    store = ArtifactStore(folder)
    for value in (FRAME, np.arange(9999)):
        digest, kept = keep(store, value)
        found = store.load(digest, kept)
        if isinstance(found, pd.DataFrame):
            found.iloc[0, 0] = 77
            found["a"].to_numpy()
        else:
            found[0] = 77
        assert not equal(found, value)
        assert equal(store.load(digest, kept), value)


def test_what_cant_be_kept_says_so(store):
    digest, kept = keep(store, {"lock": threading.Lock()})
    assert kept.codec is None
    assert kept.problem.startswith("A dict can't be kept: it can't be pickled")
    with pytest.raises(HistoryError, match="isn't in the history. A dict can't be kept"):
        store.load(digest, kept)


def test_viewing_never_unpickles(store):
    for value in (len, {"frame": FRAME, "code": len}, {"large": [len] * 2000}):
        digest, kept = keep(store, value)
        with pytest.raises(HistoryError, match="allow_pickle=True"):
            store.load(digest, kept)


def damage_middle(path):
    data = bytearray(path.read_bytes())
    place = data.index((1000).to_bytes(8, "little"))
    data[place] ^= 1
    path.write_bytes(data)


DAMAGES = [lambda path: path.write_bytes(path.read_bytes()[:999]), damage_middle, lambda path: path.write_bytes(b"")]


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut off", "one bit", "empty"])
@pytest.mark.parametrize("value", [FRAME, np.arange(9999)], ids=["frame", "array"])
def test_a_damaged_artifact_says_so_and_is_written_anew(folder, damage, value):
    store = ArtifactStore(folder)
    digest, kept = keep(store, value)
    damage(next(folder.rglob(f"{digest}.*")))
    with pytest.raises(HistoryError, match=f"The artifact {digest}.* is damaged: .*Run the task again"):
        store.load(digest, kept)
    assert equal(store.load(digest, keep(store, value)[1]), value)


def test_a_missing_artifact_says_so(folder):
    store = ArtifactStore(folder)
    digest, kept = keep(store, FRAME)
    next(folder.rglob(f"{digest}.*")).unlink()
    with pytest.raises(HistoryError, match="isn't beside the history any more. Run the task again"):
        store.load(digest, kept)
    assert keep(store, FRAME) == (digest, kept)
    assert equal(store.load(digest, kept), FRAME)


def test_only_what_nobody_refers_to_is_removed(store):
    used, kept = keep(store, {"f": FRAME, "code": [len, *range(2000)]})
    unused, other = keep(store, np.arange(9999))
    assert store.remove_unused([used], grace=0) == 9999 * 8 + 128
    assert equal(store.load(used, kept, allow_pickle=True)["f"], FRAME)
    with pytest.raises(HistoryError, match="isn't beside the history"):
        store.load(unused, other)
    assert store.remove_unused([used], grace=0) == 0


def test_other_files_and_young_ones_stay(folder):
    store = ArtifactStore(folder)
    digest, _ = keep(store, FRAME)
    (folder / "ab").mkdir(exist_ok=True)
    (folder / "ab" / "notes.json").write_text("mine")
    (folder / "README").write_text("mine")
    assert store.remove_unused([]) == 0
    path = next(folder.rglob(f"{digest}.*"))
    os.utime(path, (0, 0))
    keep(store, FRAME)  # found again: its row may be on its way
    assert store.remove_unused([]) == 0
    os.utime(path, (0, 0))
    assert store.remove_unused([]) > 0
    assert files(folder) == ["README", "notes.json"]


def test_what_a_crash_left_is_put_right(folder):
    store = ArtifactStore(folder)
    digest, kept = keep(store, FRAME)
    path = next(folder.rglob(f"{digest}.*"))
    path.rename(path.with_name(f"{path.name}.removing"))
    (folder / f"{'a' * 32}.new.part").write_bytes(b"half")
    assert equal(store.load(digest, kept), FRAME)
    store.remove_unused([digest], grace=0)
    assert files(folder) == [f"{digest}.pandas"]


class FullFile:
    """A file on a disk that is full after some bytes; there is no small disk to fill in a test."""

    def __init__(self, file, room):
        self._file = file
        self._room = room

    def write(self, data):
        self._room -= memoryview(data).nbytes
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


class FullDisk(FileShelf):
    def write(self, write):
        return super().write(lambda file: write(FullFile(file, 3000)))


@pytest.mark.parametrize("value", [FRAME, "x" * 9999, list(range(9999)), {"f": FRAME}], ids=range(4))
def test_a_full_disk_leaves_nothing_half(folder, value):
    store = ArtifactStore(folder)
    store._shelf = FullDisk(folder)
    with pytest.raises(HistoryError, match="can't be written beside the history.*No space left.*Free some space"):
        keep(store, value)
    assert files(folder) == []


def test_many_threads_keep_one_value(folder):
    store = ArtifactStore(folder)
    start = threading.Barrier(4)
    kept = []

    def work():
        start.wait()
        kept.append(keep(store, FRAME))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(kept)) == 1
    assert len(files(folder)) == 1


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(value=PLAIN)
def test_plain_values_take_a_short_way_to_the_same_bytes(value):
    store = ArtifactStore(None)
    described = describe(value)
    kept = store.keep(value, described.digest, described.size)
    encoded, data = codec.in_memory(value)
    assert kept == Kept(encoded.format, data.decode() if encoded.format == "json" else b64encode(data).decode())
    assert equal(store.load(described.digest, kept), value)
