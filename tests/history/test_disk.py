import os
from pathlib import Path

import pytest

from cloaca_nb.history.disk import sync, sync_folder, sync_on

fcntl = pytest.importorskip("fcntl", reason="Windows has other calls")
FULL = 51  # what macOS calls F_FULLFSYNC


def test_a_file_and_its_name_are_had_on_the_disk(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.write(b"text")
        file.flush()
        sync(file.fileno())
    sync_folder(tmp_path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync(10_000)


@pytest.mark.parametrize("refusal", [None, OSError()])
def test_on_macos_the_drive_is_asked_as_well(
    refusal: OSError | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def control(_descriptor: int, command: int) -> None:
        asked.append(command)
        if refusal is not None:
            raise refusal

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _: asked.append("fsync"))
    with (tmp_path / "file").open("wb") as file:
        sync_on("darwin")(file.fileno())
    assert asked == ([FULL, "fsync"] if refusal else [FULL])
