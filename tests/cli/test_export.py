"""`cloaca-nb export`, and the command line of what it writes."""

import os
from pathlib import Path


def test_an_exported_package_has_a_command_line_of_its_own(home: Path, invoke, python, notebook) -> None:
    code, stdout, stderr = invoke("export", "01_demo.ipynb", "-o", "out", "--name", "delays")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("✓ delays is in out\n")
    assert "    delays/__init__.py\n" in stdout
    assert "%cloaca_run" in stdout.partition("Left out")[2]
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
