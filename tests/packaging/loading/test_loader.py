"""An archive as the reference page has it made is loaded; packages keep apart from each other and from the caller."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from cloaca_nb.errors import PackageError
from cloaca_nb.packaging.archive.inspection import inspect_archive
from cloaca_nb.packaging.loading.loader import check_archive, loaded

pytestmark = pytest.mark.usefixtures("scratch")
ECHO = """
from cloaca_nb.packaging.loading.guest import enter
asked = enter()
import sys, pathlib
pathlib.Path(asked.more["out"]).write_text(sys.modules["data_pipeline"].WHO)
sys.exit(7)
"""


def test_an_archive_that_is_made_by_hand(project: Path, archive: Callable[..., Path], tmp_path: Path) -> None:
    build = tmp_path / "build"
    shutil.copytree(project / "data_pipeline", build / "data_pipeline")
    shutil.copytree(project / "vendor", build / "vendor")
    with_manifest = tmp_path / "with_manifest"
    shutil.unpack_archive(archive(), with_manifest, "bztar", filter="data")
    shutil.copy(with_manifest / "manifest.json", build)
    made = tmp_path / "data-pipeline-1.0.0.cloacina"
    subprocess.run(["tar", "-cjf", str(made), "."], cwd=build, check=True)  # noqa: S603, S607 - as on the page
    found = check_archive(made)
    assert [task.id for task in found.workflows[0].tasks] == ["extract", "transform", "load"]
    [warning] = found.warnings
    assert warning.startswith("The fingerprint is 'sha256:placeholder', which stands in for one")


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda digest: digest.removeprefix("sha256:"),
    lambda digest: f" {digest.removeprefix('sha256:').upper()}\n",
]


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_a_fingerprint_may_be_spelt_without_its_prefix_and_in_capitals(
    spelt: Callable[[str], str], archive: Callable[..., Path]
) -> None:
    right = inspect_archive(archive()).fingerprint
    assert check_archive(archive(manifest={"package.fingerprint": spelt(right)})).warnings == ()


def test_packages_with_the_same_modules_do_not_meet(archive: Callable[..., Path], tmp_path: Path) -> None:
    entry = "import cloaca\nWHO = {who!r}\n@cloaca.task()\ndef one(context): pass\n"
    task = {"id": "one", "function": "data_pipeline:one", "dependencies": []}
    paths = []
    for who in ("first", "second"):
        files = {"data_pipeline/__init__.py": entry.format(who=who)}
        path = archive(files, manifest={"tasks": [task]})
        paths.append(path.rename(tmp_path / f"{who}.cloacina"))
    before = psutil.Process().children()
    with (
        loaded(paths[0], program=ECHO, more={"out": str(tmp_path / "out1")}, is_quiet=False) as first,
        loaded(paths[1], program=ECHO, more={"out": str(tmp_path / "out2")}, is_quiet=False) as second,
    ):
        for one in (first, second):
            one.process.go_on()
            assert one.process.wait() == 7
    assert (tmp_path / "out1").read_text() == "first"
    assert (tmp_path / "out2").read_text() == "second"
    assert "data_pipeline" not in sys.modules
    assert psutil.Process().children() == before


def test_in_its_process_cloaca_is_cloaca_nb(archive: Callable[..., Path]) -> None:
    text = (
        "import cloaca, cloaca_nb\nassert cloaca is cloaca_nb\nimport sys\nassert sys.argv == ['data_pipeline']\n1 / 0"
    )
    with pytest.raises(PackageError, match="ZeroDivisionError"):
        check_archive(archive({"data_pipeline/__init__.py": text}))


@pytest.mark.parametrize("cut", ["function", "dependencies", "created_at"])
def test_what_may_be_left_out(cut: str, archive: Callable[..., Path]) -> None:
    tasks = [
        {"id": "extract", "function": "data_pipeline.helpers:fetch_from"},
        {"id": "transform", "function": "data_pipeline:transform", "dependencies": ["extract"]},
        {"id": "load", "function": "data_pipeline:load", "dependencies": ["transform"]},
    ]
    changes = {
        "function": ({"tasks": tasks}, "function 'data_pipeline.helpers:fetch_from', the code 'data_pipeline:extract'"),
        "dependencies": ({"tasks.1.dependencies": ...}, r"dependencies \[\], the code \['extract'\]"),
        "created_at": ({"created_at": ...}, "created_at is missing"),
    }
    manifest, reason = changes[cut]
    with pytest.raises(PackageError, match=reason):
        check_archive(archive(manifest=manifest))


SAID_TRULY: dict[str, dict[str, Any]] = {
    "a description": {"tasks.0.description": "Fetch the\nraw data."},
    "its first paragraph": {"tasks.2.description": "Write it."},
    "no description": {"tasks.0.description": None, "tasks.1.description": ""},
    "a timeout": {"tasks.1.timeout_seconds": 30.0},
    "no timeout": {"tasks.0.timeout_seconds": None},
    "retries": {"tasks.0.retries": 0, "tasks.1.retries": 2, "tasks.2.retries": None},
}


@pytest.mark.parametrize("case", SAID_TRULY)
def test_what_may_be_said_of_tasks(case: str, project: Path, archive: Callable[..., Path]) -> None:
    entry = (project / "data_pipeline/__init__.py").read_text()
    head = "    def load(context):\n"
    told = entry.replace(head, f'{head}        """Write it.\n\n        Where VAR says."""\n')
    assert told != entry
    assert len(check_archive(archive({"data_pipeline/__init__.py": told}, manifest=SAID_TRULY[case])).warnings) == 1


def test_a_task_may_be_defined_in_another_module_of_the_package(archive: Callable[..., Path]) -> None:
    files = {
        "data_pipeline/__init__.py": (
            "import cloaca\nfrom data_pipeline.tasks import one, two\n"
            "with cloaca.WorkflowBuilder('w') as builder:\n    builder.add_task(one)\n    builder.add_task(two)\n"
        ),
        "data_pipeline/tasks.py": (
            "import cloaca\n@cloaca.task()\ndef one(context): pass\n"
            "@cloaca.task(dependencies=['one'])\ndef two(context): pass\n"
        ),
    }
    tasks = [
        {"id": "one", "function": "data_pipeline:one"},
        {"id": "two", "function": "data_pipeline.tasks:two", "dependencies": ["one"]},
    ]
    assert [one.name for one in check_archive(archive(files, manifest={"tasks": tasks})).workflows] == ["w"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a package that holds the interpreter doesn't hear of it")
def test_whose_loader_is_killed_that_ends_though_it_hears_nothing(
    archive: Callable[..., Path], tmp_path: Path, scratch: Path
) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    hangs = "import re\nre.match('(a+)+$', 'a' * 64 + 'b')\n"  # holds the interpreter for ever
    tells = f"import os\nopen({str(told)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\n"
    path = archive({"data_pipeline/__init__.py": tells + hangs})
    program = f"from cloaca_nb.packaging.loading.loader import check_archive\ncheck_archive({str(path)!r})"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(scratch)}) as host:  # noqa: S603 - our own
        started = [psutil.Process(int(pid)) for pid in told.read_text().split()]
        host.kill()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
    # `scratch` is looked at next
