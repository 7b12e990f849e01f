"""A workflow from a path: a notebook, a package's folder, or a script."""

import importlib
import importlib.util
import linecache
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from cloaca_nb.core.graph import Workflow
from cloaca_nb.declare.entry import entry_module
from cloaca_nb.declare.registry import REGISTRY
from cloaca_nb.errors import ConfigurationError, WorkflowNotFoundError, near_miss
from cloaca_nb.packaging.analysis.notebook import read_notebook
from cloaca_nb.packaging.export.export import export

__all__ = ["choose", "load", "workflows_of"]


def load(path: str | Path, name: str | None = None) -> Workflow:
    """Return the workflow that a path holds: its module is imported, and none of its tasks is run.

    Of a notebook only what an export would carry is executed. The folder of what is loaded stays on ``sys.path``, as
    Python leaves a script's folder there: tasks may import from it when they run.

    Args:
        path: an ``.ipynb`` file, a ``.py`` file, or a folder whose pyproject.toml names an entry module.
        name: which workflow, where there are several.

    Raises:
        ConfigurationError: if the path holds none of these.
        WorkflowNotFoundError: a ValueError, if no workflow is found, several are, or none has that name.
        ExportError: if a notebook's tasks need something that can't be carried.
    """
    found = Path(path).resolve()
    if found.is_dir():
        return _load_package(found, name)
    loaders: dict[str, Callable[[Path, str | None], Workflow]] = {".ipynb": _load_notebook, ".py": _load_script}
    if found.suffix not in loaders or not found.is_file():
        raise ConfigurationError(
            f"{path} is no notebook (.ipynb), no script (.py) and no folder of a package, or isn't there. "
            "An archive is run by `cloaca-nb run`, and its name ends in .cloacina."
        )
    return loaders[found.suffix](found, name)


def _load_notebook(path: Path, name: str | None) -> Workflow:
    package = export(read_notebook(path), name)
    _put_on_path(path.parent)
    module = ModuleType(_free_name(package.name, path))
    module.__file__ = str(path)
    text = package.files[package.entry]
    filename = f"{path.name} as a module"
    # Tracebacks and inspect find the source by this entry; None: no file whose date could make it stale.
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    sys.modules[module.__name__] = module
    _executed(module, lambda: exec(compile(text, filename, "exec"), module.__dict__))  # noqa: S102 - the user's own notebook
    return REGISTRY.workflow(package.workflow_name)


def _load_script(path: Path, name: str | None) -> Workflow:
    _put_on_path(path.parent)
    module_name = _free_name(path.stem, path)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} can't be imported.")
    module = importlib.util.module_from_spec(spec)
    loader = spec.loader
    sys.modules[module_name] = module
    _executed(module, lambda: loader.exec_module(module))
    return choose(workflows_of(module_name), name, str(path))


def _load_package(folder: Path, name: str | None) -> Workflow:
    wanted = entry_module(folder)
    if wanted is None:
        raise ConfigurationError(
            f"{folder} holds no package: its pyproject.toml has to say which module defines the tasks:\n"
            '[tool.cloaca]\nentry_module = "…"'
        )
    _forget_others(wanted.partition(".")[0], folder)
    _put_on_path(folder)
    importlib.invalidate_caches()
    importlib.import_module(wanted)
    return choose(workflows_of(wanted), name, str(folder))


def choose(found: Mapping[str, Workflow], name: str | None, where: str) -> Workflow:
    """Return the workflow of that name among those that were found, or the only one.

    Args:
        found: by name.
        name: which; None: the only one.
        where: they were found, for messages.

    Raises:
        WorkflowNotFoundError: a ValueError, if there is none, several, or none of that name.
    """
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name is not None and name in found:
        return found[name]
    if not found:
        raise WorkflowNotFoundError(
            f'{where} defines no workflow when it is imported: that runs nothing below `if __name__ == "__main__"`. '
            "Define one with `with cloaca.WorkflowBuilder(…)`."
        )
    wanted = f"There is no workflow {name!r}.{near_miss(name, found)}" if name else "There are several workflows."
    raise WorkflowNotFoundError(f"{where}: {wanted} Known workflows: {', '.join(map(repr, found))}.")


def workflows_of(module: str, *, anywhere: bool = False) -> dict[str, Workflow]:
    """Return the workflows that an imported module built; if it built none, that of its loose tasks.

    Args:
        module: its dotted name.
        anywhere: whether those that other modules built count as well: the process knows of nothing else.
    """
    loose = {one: set(REGISTRY.loose_of(one)) for one in REGISTRY.modules()}
    own = loose.pop(module, set())
    others = set().union(*loose.values()) - own
    found = {name: REGISTRY.workflow(name) for name in REGISTRY.names() if name not in others}
    found = {name: workflow for name, workflow in found.items() if anywhere or _comes_from(workflow, module)}
    return {name: workflow for name, workflow in found.items() if name not in own} or found


def _comes_from(workflow: Workflow, module: str) -> bool:
    homes = (str(getattr(task.function, "__module__", "")) for task in workflow.tasks)
    return any(home == module or home.startswith(f"{module}.") for home in homes)


def _executed(module: ModuleType, execute: Callable[[], None]) -> None:
    """Execute a module; one that fails isn't left behind half made."""
    try:
        execute()
    except BaseException:
        sys.modules.pop(module.__name__, None)
        raise


def _free_name(wanted: str, path: Path) -> str:
    """Return a module name that hides no module that other code may import."""
    name = wanted if wanted.isidentifier() else "loaded"
    known = sys.modules.get(name)
    if known is None and name not in sys.stdlib_module_names and importlib.util.find_spec(name) is None:
        return name
    return name if known is not None and getattr(known, "__file__", None) == str(path) else f"{name}_{path.suffix[1:]}"


def _forget_others(top: str, folder: Path) -> None:
    """Forget an imported module of the same name that comes from another folder."""
    known = sys.modules.get(top)
    file = getattr(known, "__file__", None)
    if known is not None and (file is None or not Path(file).resolve().is_relative_to(folder)):
        for name in [one for one in sys.modules if one == top or one.startswith(f"{top}.")]:
            del sys.modules[name]


def _put_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
