"""The whole way from a notebook to what a user keeps: a package in a folder, and an archive where one is wanted."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.place import file_label
from cloaca_nb.errors import ConfigurationError
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.export.export import export
from cloaca_nb.packaging.export.package import Package
from cloaca_nb.packaging.export.package_name import is_untitled
from cloaca_nb.packaging.export.write import write_package
from cloaca_nb.packaging.loading.expected import Expected
from cloaca_nb.packaging.pack import Check, Packed, pack

__all__ = ["Delivered", "Wishes", "deliver"]


class Wishes(NamedTuple):
    """What is wanted of an export.

    Attributes:
        name: the package's name; None: the workflow's, or that of the folder for a notebook that nobody has named.
        import_name: what the package imports: "cloaca_nb", or "cloaca" for the other engine.
        archive: whether an archive is put beside the package.
        vendor: distributions that it carries.
        more: makes further files of the package, by path.
        check: a last look at what would be packed; what it raises stops the archive.
    """

    name: str | None = None
    import_name: str = "cloaca_nb"
    archive: bool = False
    vendor: Iterable[str] = ()
    more: Callable[[Package], Mapping[str, str]] | None = None
    check: Check | None = None


class Delivered(NamedTuple):
    """What was made.

    Attributes:
        package: with the text of every file.
        folder: where they are.
        packed: the archive; None if none was wanted.
    """

    package: Package
    folder: Path
    packed: Packed | None

    @property
    def next_step(self) -> str:
        """What a shell that is here can do with it now."""
        folder = quote(file_label(str(self.folder)))
        path = folder if folder.startswith(("/", "'")) else f"./{folder}"
        name = self.package.name
        run = f"To run it: cloaca-nb run {folder}. Once installed, by pip install {path}, also: python -m {name}."
        called = (
            f" The workflow is called {self.package.workflow_name!r}: %cloaca_workflow NAME above its tasks names it."
        )
        return run + called if is_untitled(self.package.workflow_name) else run


def deliver(notebook: Notebook, workflow: Workflow | str | None, folder: str | Path, wishes: Wishes) -> Delivered:
    """Export a notebook's workflow to a folder; see `export`, `write_package` and `pack` for what each refuses.

    Args:
        notebook: its cells, as saved or as executed.
        workflow: which of its workflows; see `export`.
        folder: new, empty, or an earlier export.
        wishes: what else is wanted. An archive lies in the folder, as ``<name>-<version>.cloacina``.
    """
    if wishes.vendor and not wishes.archive:
        raise ConfigurationError("Distributions are carried in an archive, so --vendor needs --archive.")
    if wishes.more is not None and wishes.import_name != "cloaca_nb":
        raise ConfigurationError(
            f"Golden tests run on cloaca_nb, which a package that imports {wishes.import_name} doesn't require: leave "
            "--golden out, or --import-name."
        )
    called = Path(folder).absolute().name
    package = export(notebook, workflow, name=wishes.name, folder=called, import_name=wishes.import_name)
    if wishes.more is not None:
        package = replace(package, files=dict(sorted({**package.files, **wishes.more(package)}.items())))
    written = write_package(package, folder)
    if not wishes.archive and wishes.check is None:
        return Delivered(package, written, None)
    with tempfile.TemporaryDirectory(prefix="cloaca-") as scratch:
        packed = pack(
            written,
            written if wishes.archive else scratch,
            vendor=wishes.vendor,
            expected=_expected(package, workflow),
            modified=notebook.modified,
            check=wishes.check,
        )
    return Delivered(package, written, packed if wishes.archive else None)


def _expected(package: Package, workflow: Workflow | str | None) -> Expected:
    """Return the DAG that the package must make: the kernel's, whole, if there is one; else what the text tells."""
    if isinstance(workflow, Workflow):
        return Expected(package.workflow_name, workflow.dependencies, is_all=True)
    return Expected(package.workflow_name, package.dependencies, is_all=not package.makes_more)
