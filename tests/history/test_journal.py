import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from cloaca_nb.history.backlog import Backlog
from cloaca_nb.history.journal import FileJournal, Journal, MemoryJournal, segment_path


def header(_name: str) -> bytes:
    return b'{"schema":1}'


def make(folder: Path, *, segment_size: int = 1000, segments: list[str] | None = None) -> FileJournal:
    done = segments if segments is not None else []
    return FileJournal(folder, header, lambda: done.append("full"), segment_size=segment_size)


def lines(folder: Path) -> list[bytes]:
    """Return what all journals of a folder hold, without headers."""
    segments = [segment for of_journal in Backlog(folder).journals().values() for segment in of_journal]
    return [line.rstrip() for segment in segments for line in segment.read(len(header("")) + 1)]


def keep(journal: Journal, line: bytes) -> None:
    journal.append(line)
    journal.sync()


def test_line_is_there_when_append_returns(tmp_path: Path) -> None:
    journal = make(tmp_path / "deep" / "folder")
    journal.append(b'{"a":1}')
    assert lines(tmp_path / "deep" / "folder") == [b'{"a":1}']
    assert journal.error is None
    journal.close()
    assert lines(tmp_path / "deep" / "folder") == [b'{"a":1}']


def test_process_lives_until_close(tmp_path: Path) -> None:
    journal = make(tmp_path)
    keep(journal, b"{}")
    assert not Backlog(tmp_path).is_dead(journal.name)
    journal.close()
    assert Backlog(tmp_path).is_dead(journal.name)


def test_journal_begins_while_others_look_for_journals_that_are_over(tmp_path: Path) -> None:
    is_over = threading.Event()

    def look() -> None:
        backlog = Backlog(tmp_path)
        while not is_over.is_set():
            for name in backlog.journals():
                if backlog.is_dead(name):
                    backlog.forget(name)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(30):
            journal = make(tmp_path)
            assert not Backlog(tmp_path).is_dead(journal.name)
            journal.close()
    finally:
        is_over.set()
        looker.join()


def test_nothing_remains_of_a_journal_that_held_nothing(tmp_path: Path) -> None:
    make(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_long_journal_goes_on_in_new_segments(tmp_path: Path) -> None:
    full: list[str] = []
    journal = make(tmp_path, segment_size=100, segments=full)
    written = [b'{"number":%d}' % number for number in range(30)]
    for line in written:
        keep(journal, line)
    journal.close()
    assert lines(tmp_path) == written
    assert len(Backlog(tmp_path).journals()[journal.name]) == len(full) + 1 > 3


def test_segment_that_its_process_has_just_removed_holds_nothing(tmp_path: Path) -> None:
    journal = make(tmp_path)
    (segment,) = Backlog(tmp_path).journals()[journal.name]
    journal.close()
    assert segment.read(0) == []


def test_torn_last_line_is_left_out(tmp_path: Path) -> None:
    journal = make(tmp_path)
    keep(journal, b'{"a":1}')
    journal.close()
    with segment_path(tmp_path, journal.name, 1).open("ab") as file:
        file.write(b'{"torn":')
    assert lines(tmp_path) == [b'{"a":1}']


def test_deleted_journal_is_an_error_and_not_silence(tmp_path: Path) -> None:
    journal = make(tmp_path)
    segment_path(tmp_path, journal.name, 1).unlink()
    keep(journal, b"{}")
    assert isinstance(journal.error, FileNotFoundError)
    journal.close()


def test_what_was_only_appended_is_kept_by_close(tmp_path: Path) -> None:
    journal = make(tmp_path, segment_size=50)
    written = [b'{"number":%d}' % number for number in range(30)]
    for line in written:
        journal.append(line)
    assert lines(tmp_path) == written
    journal.close()
    assert lines(tmp_path) == written
    assert len(Backlog(tmp_path).journals()[journal.name]) == 1  # a segment ends with what is on disk


def test_what_a_deleted_journal_held_last_goes_to_the_next_segment(tmp_path: Path) -> None:
    journal = make(tmp_path)
    keep(journal, b'{"number":0}')
    journal.append(b'{"number":1}')
    segment_path(tmp_path, journal.name, 1).unlink()
    keep(journal, b'{"number":2}')
    assert isinstance(journal.error, FileNotFoundError)
    keep(journal, b'{"number":3}')
    assert journal.error is None
    journal.close()
    assert lines(tmp_path) == [b'{"number":%d}' % number for number in (1, 2, 3)]


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        make(tmp_path / "file")


def test_other_files_in_the_folder_are_no_journals(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").touch()
    (tmp_path / "checked.json").touch()
    assert Backlog(tmp_path).journals() == {}
    assert Backlog(tmp_path / "absent").journals() == {}


def test_memory_journal_keeps_lines_until_they_are_forgotten() -> None:
    journal = MemoryJournal()
    for line in (b"a", b"b", b"c"):
        keep(journal, line)
    journal.forget(2)
    journal.close()
    assert journal.lines() == [b"c"]


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from cloaca_nb.history.journal import FileJournal

    journal = FileJournal(Path(sys.argv[1]), lambda name: b'{"schema":1}', lambda: None)
    journal.append(b'{"number":0}')
    journal.sync()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30, hard))
    journal.append(b'{"number":1}')
    assert isinstance(journal.error, OSError), journal.error
    journal.sync()
    assert isinstance(journal.error, OSError), journal.error
    journal.append(b'{"number":2}')
    journal.sync()
    assert isinstance(journal.error, OSError), journal.error
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.append(b'{"number":3}')
    assert isinstance(journal.error, OSError), journal.error
    journal.sync()
    assert journal.error is None, journal.error
    journal.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes, a disk that is full at a wish")
def test_full_disk_is_remembered_and_what_it_refused_is_written_later(tmp_path: Path) -> None:
    subprocess.run(  # noqa: S603 - a program of this file
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)], check=True
    )
    assert lines(tmp_path) == [b'{"number":%d}' % number for number in range(4)]
