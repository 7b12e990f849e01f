"""A project as on the reference page, and archives of it, made by hand with whatever else is asked for."""

import bz2
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

PYPROJECT = """
[project]
name = "data-pipeline"
version = "1.0.0"
description = "ETL pipeline for analytics"
requires-python = ">=3.10"
dependencies = []

[tool.cloaca]
entry_module = "data_pipeline"
"""
ENTRY = '''
import cloaca
from data_pipeline.helpers import clean, fetch_from
from my_lib import write_to

with cloaca.WorkflowBuilder("data_pipeline") as builder:
    builder.description("ETL pipeline for analytics data")

    @cloaca.task(id="extract")
    def extract(context):
        """Fetch the raw data."""
        context.set("raw_data", fetch_from(cloaca.var("DATA_SOURCE")))
        return context

    @cloaca.task(id="transform", dependencies=["extract"], retry_attempts=2, timeout=30)
    def transform(context):
        context.set("clean_data", clean(context.get("raw_data")))
        return context

    @cloaca.task(id="load", dependencies=["transform"])
    def load(context):
        write_to(cloaca.var_or("WAREHOUSE_URL", "stdout"), context.get("clean_data"))
        return context
'''
FILES = {
    "data_pipeline/__init__.py": ENTRY,
    "data_pipeline/helpers.py": "def fetch_from(source): return source\ndef clean(data): return data.upper()\n",
    "vendor/my_lib/__init__.py": "def write_to(where, data): print(f'{data} -> {where}')\n",
}
MANIFEST: dict[str, Any] = {
    "format_version": "2",
    "package": {
        "name": "data-pipeline",
        "version": "1.0.0",
        "fingerprint": "sha256:placeholder",
        "targets": ["linux-x86_64", "linux-arm64", "macos-x86_64", "macos-arm64"],
    },
    "language": "python",
    "python": {"requires_python": ">=3.10", "entry_module": "data_pipeline"},
    "tasks": [
        {"id": "extract", "function": "data_pipeline:extract", "dependencies": []},
        {"id": "transform", "function": "data_pipeline:transform", "dependencies": ["extract"]},
        {"id": "load", "function": "data_pipeline:load", "dependencies": ["transform"]},
    ],
    "created_at": "2026-01-15T10:30:00Z",
}

Header = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's folder."""
    folder = tmp_path / "my-workflow"
    for path, text in {"pyproject.toml": PYPROJECT, **FILES}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """Make an archive of the project.

    Its parameters: files that are added or replaced, or left out for None; members that follow them; and what replaces
    the manifest, or changes it by dotted names.
    """

    def archive(
        files: Mapping[str, str | bytes | None] | None = None,
        members: Iterable[Header] = (),
        manifest: Mapping[str, Any] | str | bytes | None = None,
    ) -> Path:
        content = manifest if isinstance(manifest, str | bytes) else json.dumps(changed(MANIFEST, manifest or {}))
        wanted = {"manifest.json": content, **FILES, **(files or {})}
        path = tmp_path / "made.cloacina"
        path.write_bytes(bz2.compress(tar_of([*map(plain, wanted, wanted.values()), *members])))
        return path

    return archive


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: empty again when a test is over, or it fails."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def member() -> Callable[..., Header]:
    """Make a tar member of any kind."""

    def member(name: str, data: bytes = b"", **fields: Any) -> Header:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for field, value in fields.items():
            setattr(info, field, value)
        return info, data

    return member


def plain(name: str, data: str | bytes | None) -> Header:
    content = data.encode() if isinstance(data, str) else data or b""
    info = tarfile.TarInfo(name)
    info.size = -1 if data is None else len(content)
    return info, content


def changed(manifest: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    made = json.loads(json.dumps(manifest))
    for name, value in changes.items():
        *path, last = name.split(".")
        table = made
        for part in path:
            table = table[int(part) if part.isdigit() else part]
        if value is ...:
            del table[last]
        else:
            table[int(last) if last.isdigit() else last] = value
    return made


def tar_of(members: Iterable[Header]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info, data in members:
            if info.size >= 0:
                tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()
