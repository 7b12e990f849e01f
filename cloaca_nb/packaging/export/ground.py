"""What a package stands on: the modules that are carried with it, and the distributions that it requires."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cloaca_nb.packaging.analysis.carried_modules import Foundation, ImportedModule, foundation, imported_modules
from cloaca_nb.packaging.analysis.distributions import Installed, requirement_of_hint
from cloaca_nb.packaging.analysis.imports import OUR_NAMES, Import
from cloaca_nb.packaging.analysis.notebook import Notebook
from cloaca_nb.packaging.export.package_name import bare

__all__ = ["ground_of"]


def ground_of(
    notebook: Notebook,
    installed: Installed,
    import_name: str,
    imports: Mapping[Import, str],
    texts: Iterable[tuple[str, str]],
    hints: Iterable[str],
) -> Foundation:
    """Find out what a package stands on.

    Args:
        notebook: beside which local modules are looked for.
        installed: the distributions that there are.
        import_name: what the package imports: "cloaca_nb", or "cloaca" for the other engine.
        imports: those of its module, each with where it stands.
        texts: where code stands that it carries, and that code, which may import more.
        hints: what the notebook installs.

    Raises:
        ExportError: for an import that nothing provides.
    """
    found = [ImportedModule(import_name, "", guarded=False)]
    for one, where in imports.items():
        is_whole = one.name in {None, "*"} or one.module in OUR_NAMES or one.module.startswith(".")
        module = one.module if is_whole else f"{one.module}.{one.name}"
        found.append(ImportedModule(import_name if one.module in OUR_NAMES else module, where, guarded=False))
    for where, text in texts:
        found += imported_modules(text, where)
    ground = foundation(found, notebook.folder, installed)
    known = {bare(one) for one in ground.requirements}
    wanted = (requirement_of_hint(one, installed) for one in hints)
    more = [one for one in wanted if one and bare(one) not in known]
    return replace(ground, requirements=tuple(sorted({*ground.requirements, *more}, key=str.lower)))
