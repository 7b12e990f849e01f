"""The files of a package around its entry module: pyproject.toml, `__main__.py`, README, and a test of its DAG."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Project"]

VERSION: Final = "0.1.0"

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = {distribution}
version = "{version}"
description = {description}
readme = "README.md"
requires-python = ">=3.11"
dependencies = {requirements}

[project.scripts]
{script} = "{name}.__main__:main"

[tool.cloaca]
entry_module = "{name}"

[tool.hatch.build.targets.wheel]
only-include = {wheel}
{tests}"""

_PYTEST: Final = """
[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

_MAIN: Final = '''\
"""Runs the workflow {title}: `python -m {name} --param KEY=VALUE`."""

from cloaca_nb.cli import package_main


def main() -> None:
    """Run the workflow and leave with its exit code."""
    package_main({workflow})


if __name__ == "__main__":
    main()
'''

# The other engine has no command line of its own for packages.
_OTHER_MAIN: Final = '''\
"""Runs the workflow {title}: `python -m {name} --param KEY=VALUE`."""

import argparse
import json
import sys

import cloaca


def main() -> None:
    """Run the workflow, print its final context, and leave with 1 if it failed."""
    parser = argparse.ArgumentParser(
        prog={script},
        description={description},
    )
    parser.add_argument(
        "--param",
        metavar="KEY=VALUE",
        type=value,
        action="append",
        default=[],
        help={help},
    )
    values = dict(parser.parse_args().param)
    runner = cloaca.DefaultRunner(":memory:")
    try:
        result = runner.execute({workflow}, cloaca.Context(values))
        print(json.dumps(dict(result.final_context), default=str))
    finally:
        runner.shutdown()
    sys.exit(result.status.lower() != "completed")


def value(text: str) -> tuple[str, object]:
    """Read KEY=VALUE, the value as JSON or else as text."""
    key, equals, said = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"it is given as KEY=VALUE, not {{text!r}}")
    try:
        return key, json.loads(said)
    except ValueError:
        return key, said


if __name__ == "__main__":
    main()
'''

_README: Final = """\
# {distribution}

The workflow `{workflow}`, exported from `{source}`.

```
pip install .
python -m {name}{example}
```

| task | after |
|---|---|
{tasks}{more}{parameters}{derived}"""

_MORE: Final = """
The module makes more tasks as it is imported: `cloaca_nb.workflows()[{workflow}].tasks` lists them all.
"""

_DERIVED: Final = """
{name} is worked out from {others} for every run that isn't given a value for it.
"""

_TEST: Final = '''\
"""The workflow {title} has the tasks and dependencies that it had in its notebook."""

import importlib

import cloaca_nb as cloaca

DEPENDENCIES = {dependencies}


def test_dag():
    importlib.import_module("{name}")
    workflow = cloaca.workflows()[{workflow}]
    found = {{task.id: set(workflow.dependencies[task.id]) for task in workflow.tasks}}
    assert {{task_id: found[task_id] for task_id in DEPENDENCIES}} == DEPENDENCIES
'''


@dataclass(frozen=True, slots=True)
class Project:
    """What the files say.

    Attributes:
        name: of the Python package.
        workflow_name: of its workflow.
        source: the notebook's file name.
        import_name: "cloaca_nb", or "cloaca" for the other engine.
        requirements: of distributions.
        modules: top-level files and folders of local modules that are carried.
        dependencies: of each task whose id and dependencies are known without importing the package.
        has_more: whether there are tasks besides those, e.g. made in a loop.
        parameters: the workflow's parameters and the source of their defaults.
        derived: for each parameter whose default is worked out from others, which those are.
        secret: parameters whose values are given for each run.
        asked: the keys that tasks read and none sets: what else a run is given.
    """

    name: str
    workflow_name: str
    source: str
    import_name: str
    requirements: Sequence[str]
    modules: Sequence[str]
    dependencies: Mapping[str, Sequence[str]]
    has_more: bool
    parameters: Mapping[str, str]
    derived: Mapping[str, Sequence[str]]
    secret: Sequence[str]
    asked: Sequence[str]

    @property
    def distribution(self) -> str:
        """The project's name as package indexes spell it."""
        return self.name.strip("_").replace("_", "-").lower()

    def files(self) -> dict[str, str]:
        """Return the text of every file but the entry module, by path."""
        files = {
            "README.md": self._readme(),
            "pyproject.toml": self._pyproject(),
            f"{self.name}/__main__.py": self._main(),
        }
        return files | ({f"tests/test_{self.name}.py": self._test()} if self.import_name == "cloaca_nb" else {})

    def _main(self) -> str:
        said = {"title": self.workflow_name, "name": self.name, "workflow": quoted(self.workflow_name)}
        if self.import_name == "cloaca_nb":
            return _MAIN.format(**said)
        asked = f". Tasks ask for: {', '.join(self.asked)}" if self.asked else ""
        shown = {
            "description": f"Run the workflow {self.workflow_name}, and print its final context as JSON.",
            "help": f"a value of the initial context, as JSON or text; may be given several times{asked}",
        }
        said["script"] = quoted(self.distribution)
        return _OTHER_MAIN.format(**said, **{key: quoted(text.replace("%", "%%")) for key, text in shown.items()})

    def _pyproject(self) -> str:
        return _PYPROJECT.format(
            distribution=quoted(self.distribution),
            version=VERSION,
            description=quoted(f"The workflow {self.workflow_name}."),
            requirements=_toml_list(self.requirements),
            script=self.distribution,
            name=self.name,
            wheel=_toml_list([self.name, *self.modules]),
            tests=_PYTEST if self.import_name == "cloaca_nb" else "",
        )

    def _readme(self) -> str:
        rows = (f"| `{one}` | {', '.join(f'`{two}`' for two in ids)} |\n" for one, ids in self.dependencies.items())
        parameters = (f"| `{one}` | `{' '.join(text.split())}` |\n" for one, text in self.parameters.items())
        secrets = (f"| `{one}` | secret: set `CLOACINA_VAR_{one}` |\n" for one in self.secret)
        rows_of_parameters = "".join((*parameters, *secrets))
        table = f"\n| parameter | default |\n|---|---|\n{rows_of_parameters}" if rows_of_parameters else ""
        first = next((one for one in self.parameters.items() if one[0] not in self.derived), None)
        return _README.format(
            distribution=self.distribution,
            workflow=self.workflow_name,
            source=self.source,
            name=self.name,
            example=f" --param {first[0]}={first[1]}" if first else "",
            tasks="".join(rows),
            more=_MORE.format(workflow=quoted(self.workflow_name)) if self.has_more else "",
            parameters=table,
            derived="".join(
                _DERIVED.format(name=f"`{one}`", others=" and ".join(f"`{two}`" for two in used))
                for one, used in self.derived.items()
            ),
        )

    def _test(self) -> str:
        sets = (f"    {quoted(one)}: {_set(ids)},\n" for one, ids in self.dependencies.items())
        return _TEST.format(
            title=self.workflow_name,
            name=self.name,
            workflow=quoted(self.workflow_name),
            dependencies="{\n" + "".join(sets) + "}",
        )


def quoted(text: str) -> str:
    """Return a text in double quotes, as Python and TOML both read it."""
    return json.dumps(text, ensure_ascii=False)


def _set(ids: Iterable[str]) -> str:
    return "{" + ", ".join(map(quoted, sorted(ids))) + "}" if ids else "set()"


def _toml_list(texts: Sequence[str]) -> str:
    if len(texts) < 2:  # noqa: PLR2004 - one entry reads well on one line
        return f"[{', '.join(map(quoted, texts))}]"
    return "[\n" + "".join(f"  {quoted(text)},\n" for text in texts) + "]"
