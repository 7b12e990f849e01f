"""A project becomes an archive: its layout, its manifest, the same bytes each time, and what is refused."""

import hashlib
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cloaca_nb.errors import ConfigurationError, PackageError
from cloaca_nb.packaging.analysis.distributions import required_here
from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.archive.inspection import host_target, inspect_archive
from cloaca_nb.packaging.archive.vendored import vendored
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.write import write_package
from cloaca_nb.packaging.loading.expected import Expected
from cloaca_nb.packaging.loading.loader import check_archive
from cloaca_nb.packaging.pack import pack

pytestmark = pytest.mark.usefixtures("scratch")


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:bz2") as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}


def manifest_of(path: Path) -> dict[str, Any]:
    return json.loads(members(path)["manifest.json"])


def test_the_layout_and_the_manifest_are_those_of_the_page(project: Path, tmp_path: Path) -> None:
    (project / "tests").mkdir()
    (project / "tests/test_it.py").write_text("")
    (project / "notes.txt").write_text("stays here")
    (project / "data_pipeline/__pycache__").mkdir()
    (project / "data_pipeline/__pycache__/x.pyc").write_bytes(b"")
    packed = pack(project, tmp_path, environ={})
    assert packed.path == tmp_path / "data-pipeline-1.0.0.cloacina"
    assert list(members(packed.path)) == [
        "manifest.json",
        "data_pipeline/__init__.py",
        "data_pipeline/helpers.py",
        "vendor/my_lib/__init__.py",
    ]
    assert manifest_of(packed.path) == {
        "format_version": "2",
        "package": {
            "name": "data-pipeline",
            "version": "1.0.0",
            "fingerprint": packed.inspection.fingerprint,
            "targets": ["linux-x86_64", "linux-arm64", "macos-x86_64", "macos-arm64"],
        },
        "language": "python",
        "python": {"requires_python": ">=3.10", "entry_module": "data_pipeline"},
        "tasks": [
            {
                "id": "extract",
                "function": "data_pipeline:extract",
                "dependencies": [],
                "description": "Fetch the raw data.",
                "retries": 0,
                "timeout_seconds": None,
            },
            {
                "id": "transform",
                "function": "data_pipeline:transform",
                "dependencies": ["extract"],
                "description": "",
                "retries": 2,
                "timeout_seconds": 30,
            },
            {
                "id": "load",
                "function": "data_pipeline:load",
                "dependencies": ["transform"],
                "description": "",
                "retries": 0,
                "timeout_seconds": None,
            },
        ],
        "triggers": [],
        "created_at": "1980-01-01T00:00:00Z",
    }
    assert check_archive(packed.path).warnings == ()


def test_the_fingerprint_is_as_documented(project: Path, tmp_path: Path) -> None:
    found = members(pack(project, tmp_path).path)
    manifest = json.loads(found["manifest.json"])
    said = manifest["package"].pop("fingerprint")
    found["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    digest = hashlib.sha256()
    for path in sorted(found, key=str.encode):
        digest.update(path.encode() + b"\0" + str(len(found[path])).encode() + b"\0" + found[path])
    assert said == f"sha256:{digest.hexdigest()}"


def test_the_same_files_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    first = pack(project, tmp_path / "a.cloacina", environ={}).path.read_bytes()
    moved = project.rename(tmp_path / "elsewhere")
    for path in moved.rglob("*"):
        os.utime(path, (time.time() + 5, time.time() + 5))
        path.chmod(0o700)
    assert pack(moved, tmp_path / "b.cloacina", environ={}).path.read_bytes() == first


CREATED = [
    # environment, record of the notebook, expected
    ({"SOURCE_DATE_EPOCH": "1700000000"}, "2020-02-02T02:02:02+00:00", "2023-11-14T22:13:20Z"),
    ({}, "2020-02-02T02:02:02+02:00", "2020-02-02T00:02:02Z"),
    ({"SOURCE_DATE_EPOCH": ""}, None, "1980-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("environ", "modified", "expected"), CREATED)
def test_when_it_was_made(
    environ: dict[str, str], modified: str | None, expected: str, project: Path, tmp_path: Path
) -> None:
    packed = pack(project, tmp_path, environ=environ, modified=modified)
    assert packed.inspection.manifest.created_at == expected


def test_what_the_code_imports_beside_the_package_is_carried(project: Path, tmp_path: Path) -> None:
    (project / "rates.py").write_text("from more.deep import K\n")
    (project / "more").mkdir()
    (project / "more/deep.py").write_text("K = 1\n")
    (project / "more/table.csv").write_text("a,b\n")
    (project / "unused.py").write_text("1 / 0\n")
    with (project / "data_pipeline/helpers.py").open("a") as file:
        file.write("def late():\n    import rates\n")
    found = members(pack(project, tmp_path).path)
    assert {"rates.py", "more/deep.py", "more/table.csv"} < found.keys()
    assert "unused.py" not in found


def test_an_import_that_is_no_name_carries_nothing_more(project: Path, tmp_path: Path) -> None:
    (project / "unused.py").write_text("1 / 0\n")
    with (project / "data_pipeline/helpers.py").open("a") as file:
        file.write(
            "import importlib\ndef never():\n    for one in ('', '../unused', '.x'): importlib.import_module(one)\n"
        )
        file.write("    importlib.import_module('')\n    importlib.import_module('.unused')\n")
    assert len(members(pack(project, tmp_path).path)) == 4


def test_a_module_in_an_encoding_that_it_names_is_carried_as_it_is(project: Path, tmp_path: Path) -> None:
    text = (project / "data_pipeline/helpers.py").read_text()
    (project / "data_pipeline/helpers.py").write_bytes(f"# coding: latin-1\n{text}NAME = 'é'\n".encode("latin-1"))
    assert pack(project, tmp_path).inspection.problems == ()


def test_machine_code_is_for_this_machine(project: Path, tmp_path: Path) -> None:
    (project / "vendor/fast.abi3.so").write_bytes(b"\x7fELF")
    manifest = pack(project, tmp_path).inspection.manifest
    assert (manifest.targets, manifest.requires_python) == ((host_target(),), ">=3.10")


def test_an_extension_module_is_for_this_python(project: Path, tmp_path: Path) -> None:
    (project / "vendor/fast.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\x7fELF")
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert pack(project, tmp_path).inspection.manifest.requires_python == f">=3.10,=={this}.*"


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    # name: files, reason
    "a project that is no table": (
        {"pyproject.toml": "project = 1\n[tool.cloaca]\nentry_module = 'data_pipeline'\n"},
        r"name is missing(.|\n)*version",
    ),
    "no name": (
        {"pyproject.toml": "[tool.cloaca]\nentry_module = 'data_pipeline'\n"},
        r"name is missing(.|\n)*version",
    ),
    "an entry module that isn't there": (
        {"pyproject.toml": "[project]\nname='a'\nversion='1'\n[tool.cloaca]\nentry_module = 'datapipeline'\n"},
        "has neither a folder datapipeline nor a file datapipeline.py",
    ),
    "an entry module of an odd name": (
        {"pyproject.toml": "[project]\nname='a'\nversion='1'\n[tool.cloaca]\nentry_module = 'json'\n"},
        "entry_module 'json' has the name of a module of Python",
    ),
    "a Python that isn't this one": (
        {
            "pyproject.toml": "[project]\nname='a'\nversion='1'\nrequires-python='<3'\n"
            "[tool.cloaca]\nentry_module='data_pipeline'"
        },
        "requires Python <3",
    ),
    "a version with a path": (
        {"pyproject.toml": "[project]\nname='a'\nversion='../1'\n[tool.cloaca]\nentry_module='data_pipeline'"},
        "package.version is '../1'",
    ),
    "shadowing": ({"vendor/pathlib.py": ""}, "would hide Python's module 'pathlib'"),
    "a name that can't be": ({"data_pipeline/a\\b.txt": ""}, "backslash"),
    "a name that Windows can't have": ({"data_pipeline/aux.py": ""}, "a name that Windows can't have"),
    "letter case": ({"data_pipeline/Helpers.py": ""}, "where letter case doesn't count"),
    "no Python": ({"data_pipeline/helpers.py": "def"}, "is no Python"),
    "an import that fails": ({"data_pipeline/helpers.py": "1 / 0"}, "ZeroDivisionError"),
    "a module that is not carried": ({"data_pipeline/helpers.py": "import nowhere"}, "No module named 'nowhere'"),
    "no workflow": ({"data_pipeline/__init__.py": "x = 1"}, "registers no workflow"),
    "a task in two workflows": (
        {
            "data_pipeline/__init__.py": "import cloaca\nfor name in 'ab':\n    with cloaca.WorkflowBuilder(name):\n"
            "        cloaca.task(id='one')(lambda context: context)\n"
        },
        "Task 'one' is in several workflows",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str, project: Path, tmp_path: Path) -> None:
    files, reason = REFUSED[case]
    for path, text in files.items():
        (project / path).write_text(text)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PackageError, match=reason):
        pack(project, tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def link(project: Path) -> None:
    (project / "data_pipeline/linked.py").symlink_to("helpers.py")


def linked_folder(project: Path) -> None:
    (project / "vendor/linked").symlink_to(project / "data_pipeline")


def fifo(project: Path) -> None:
    os.mkfifo(project / "data_pipeline/pipe")


@pytest.mark.parametrize(
    ("make", "reason"), [(link, "is a link"), (linked_folder, "is a link"), (fifo, "neither a file")]
)
def test_refuses_what_is_no_file(make: Callable[[Path], None], reason: str, project: Path, tmp_path: Path) -> None:
    make(project)
    with pytest.raises(PackageError, match=reason):
        pack(project, tmp_path)


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="which module registers the tasks"):
        pack(tmp_path)


def test_a_date_that_is_none(project: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SOURCE_DATE_EPOCH is 'now'"):
        pack(project, tmp_path, environ={"SOURCE_DATE_EPOCH": "now"})


def test_an_older_archive_is_replaced_only_when_the_new_one_is_good(project: Path, tmp_path: Path) -> None:
    path = pack(project, tmp_path).path
    good = path.read_bytes()
    (project / "data_pipeline/helpers.py").write_text("1 / 0\n")
    with pytest.raises(PackageError, match="ZeroDivisionError"):
        pack(project, tmp_path)
    assert path.read_bytes() == good


# -- vendor/


def test_a_distribution_is_carried_with_what_it_requires() -> None:
    found = vendored(["hypothesis"])
    assert "vendor/hypothesis/__init__.py" in found
    assert any(path.startswith("vendor/sortedcontainers/") for path in found)
    assert any(path.endswith(".dist-info/METADATA") for path in found)
    assert not any("__pycache__" in path or path.endswith(("RECORD", "INSTALLER", ".pth")) for path in found)
    assert all(file.is_file() for file in found.values())


def test_what_cloaca_nb_brings_itself_is_not_carried() -> None:
    assert vendored(["rich", "pandas"]) == {}


def test_a_carried_distribution_is_there_when_it_is_loaded(project: Path, tmp_path: Path) -> None:
    text = "import sortedcontainers\nassert '/package/vendor/' in sortedcontainers.__file__\n"
    with (project / "data_pipeline/helpers.py").open("a") as file:
        file.write(text)
    packed = pack(project, tmp_path, vendor=["sortedcontainers"])
    assert "sortedcontainers" in packed.inspection.vendored


def test_a_distribution_that_is_not_here() -> None:
    with pytest.raises(PackageError, match="'hypothesys' is not installed here.*Did you mean 'hypothesis'"):
        vendored(["hypothesys"])


def test_an_editable_install_can_not_be_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "loose-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loose\nVersion: 1.0\n")
    (info / "RECORD").write_text("loose.pth,,\nloose-1.0.dist-info/METADATA,,\nloose-1.0.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PackageError, match="installed as editable"):
        vendored(["loose"])


def test_requirements_of_other_platforms_and_of_extras_do_not_count(tmp_path: Path) -> None:
    import importlib.metadata  # noqa: PLC0415 - only here

    (tmp_path / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b>=1\n"
        "Requires-Dist: c; sys_platform == 'vms'\nRequires-Dist: d; extra == 'e'\n"
    )
    assert required_here(importlib.metadata.PathDistribution(tmp_path)) == ["b"]


# -- of a notebook


CELLS = ["import math", "%%cloaca_task load\nrows = [1, math.floor(2.5)]", "%%cloaca_task total\ntotal = sum(rows)"]


def written_notebook(tmp_path: Path, times: dict[str, str] | None = None) -> Path:
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    cells[1].metadata["execution"] = times or {}
    path = tmp_path / "01_sample.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_an_exported_notebook_is_packed_if_its_package_makes_the_same_dag(tmp_path: Path) -> None:
    package = export(read_notebook(written_notebook(tmp_path)))
    assert package.dependencies == {"load": (), "total": ("load",)}
    folder = write_package(package, tmp_path / "out")
    packed = pack(folder, folder, expected=Expected("sample", package.dependencies, is_all=True))
    assert packed.path == folder / "sample-0.1.0.cloacina"
    assert {"sample/__init__.py", "sample/__main__.py"} < members(packed.path).keys()
    # An archive does not stand in the way of the next export.
    write_package(package, folder)
    with pytest.raises(PackageError, match=r"Task 'total' follows \['clean'\] in the notebook, but \['load'\]"):
        pack(folder, tmp_path, expected=Expected("sample", {"total": ["clean"]}, is_all=False))
    assert not list(tmp_path.glob("*.cloacina"))


MODIFIED = [
    # times on record in a cell, expected
    ({}, None),
    ({"iopub.execute_input": "2026-01-02T03:04:05.5Z"}, "2026-01-02T03:04:05.500000+00:00"),
    (
        {"iopub.execute_input": "2026-01-02T03:04:05Z", "shell.execute_reply": "2026-01-02T04:04:06+01:00"},
        "2026-01-02T04:04:06+01:00",
    ),
    ({"a": "never", "b": "2026-01-02T03:04:05"}, None),
]


@pytest.mark.parametrize(("times", "expected"), MODIFIED)
def test_a_notebook_tells_when_its_cells_last_ran(times: dict[str, str], expected: str | None, tmp_path: Path) -> None:
    assert read_notebook(written_notebook(tmp_path, times)).modified == expected


def test_inspecting_what_was_packed_finds_nothing_wrong(project: Path, tmp_path: Path) -> None:
    packed = pack(project, tmp_path)
    assert inspect_archive(packed.path) == packed.inspection
    assert (packed.inspection.problems, packed.inspection.vendored) == ((), ["my_lib"])
