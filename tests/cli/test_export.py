"""`cloaca-nb export`, and the command line of what it writes."""

import os
from pathlib import Path

import pytest


def test_an_exported_package_has_a_command_line_of_its_own(home: Path, invoke, python, notebook) -> None:
    code, stdout, stderr = invoke("export", "01_demo.ipynb", "-o", "out", "--name", "delays")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("✓ delays is in out\n")
    assert "    delays/__init__.py\n" in stdout
    assert "open('ran', 'w').close()" in stdout.partition("Left out")[2]
    assert "%cloaca_run" not in stdout
    assert "To run it: cloaca-nb run out. Once installed, by pip install ./out, also: python -m delays." in stdout
    assert invoke("run", "out", "--history", ":memory:")[:2] == (0, "2013 UA\n")

    os.chdir("out")
    shown = python("-m", "delays", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Usage: python -m delays [OPTIONS]")
    assert "Parameters:\n    year=2013   int\n    carrier=UA  str\n" in shown.stdout
    assert "--var NAME=VALUE" in shown.stdout

    done = python("-m", "delays", "--param", "carrier=AA", "--history", "../kept.duckdb")
    assert (done.returncode, done.stdout) == (0, "2013 AA\n")
    assert "✓ demo  Completed" in done.stderr
    assert (home / "kept.duckdb").exists()

    wrong = python("-m", "delays", "--param", "carier=AA")
    assert wrong.returncode == 2
    assert "Did you mean 'carrier'?" in wrong.stderr


def test_a_package_is_verified_against_a_run(home: Path, invoke, notebook) -> None:
    export = ("export", "01_demo.ipynb", "-o", "out", "--archive", "--verify")
    assert invoke("run", "01_demo.ipynb", "--param", "year=2020")[0] == 0
    code, stdout, stderr = invoke(*export, "last")
    assert (code, stderr) == (0, "")
    assert "The package ends as run" in stdout
    assert (home / "out" / "demo-0.1.0.cloacina").exists()

    notebook.write_text(notebook.read_text().replace("math.floor(0.5)", "math.ceil(0.5)"))
    code, _, stderr = invoke("export", "01_demo.ipynb", "-o", "new", "--archive", "--verify", "last")
    assert code == 1
    assert "  rows: [2020,0] → [2020,1]\n  total: 2020 → 2021\n" in stderr
    assert not list((home / "new").glob("*.cloacina"))

    assert "has no run 'nope'" in invoke(*export, "nope")[2]


def test_a_task_that_fails_only_in_the_package_is_told(home: Path, invoke, notebook) -> None:
    notebook.write_text(notebook.read_text().replace("math.floor(0.5)", "len(__file__.partition('01_demo.ipynb')[1])"))
    assert invoke("run", "01_demo.ipynb")[:2] == (0, "2026 UA\n")
    code, _, stderr = invoke("export", "01_demo.ipynb", "-o", "out", "--verify", "last")
    assert (code, not list((home / "out").glob("*.cloacina"))) == (1, True)
    assert "  rows: [2013,13] → [2013,0]\n" in stderr


def test_a_secret_that_a_verified_package_needs_is_asked_for_where_it_can_be_given(
    home: Path, invoke, notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.write_text(notebook.read_text().replace("%%cloaca_params", "%%cloaca_params --secret carrier"))
    assert invoke("run", "01_demo.ipynb", "--param", "carrier=DELTA")[0] == 0
    code, _, stderr = invoke("export", "01_demo.ipynb", "-o", "out", "--verify", "last")
    assert code == 1
    assert "began with the secret 'carrier'" in stderr
    assert "from the environment variable CLOACINA_VAR_carrier." in stderr
    assert "context=" not in stderr
    monkeypatch.setenv("CLOACINA_VAR_carrier", "DELTA")
    assert invoke("export", "01_demo.ipynb", "-o", "out", "--verify", "last")[0] == 0
