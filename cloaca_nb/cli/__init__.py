"""The face in a shell: each command parses, calls one method, and shows what came of it."""

from cloaca_nb.cli.app import app, main
from cloaca_nb.cli.package import package_main

__all__ = ["app", "main", "package_main"]
