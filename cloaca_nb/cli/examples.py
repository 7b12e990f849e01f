"""An example or two of every command, which `--help` and the page of commands show."""

from typing import Final

__all__ = ["EXAMPLES", "epilog"]

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {  # by command, without `cloaca-nb`
    "run": (
        "cloaca-nb run flights.ipynb --param year=2014",
        "cloaca-nb run flights-0.1.0.cloacina --var station=KJFK",
        "cloaca-nb run flights.ipynb --resume",
    ),
    "export": (
        "cloaca-nb export flights.ipynb -o flights",
        "cloaca-nb export flights.ipynb -o flights --archive --verify last",
    ),
    "import": ("cloaca-nb import flights -o flights.ipynb",),
    "pack": ("cloaca-nb pack flights",),
    "inspect": ("cloaca-nb inspect flights-0.1.0.cloacina",),
    "history": ("cloaca-nb history", "cloaca-nb history --run 739dbdbf"),
    "diff": ("cloaca-nb history diff", "cloaca-nb history diff 739dbdbf 25558ee9"),
    "logs": ("cloaca-nb history logs clean --run 739dbdbf", "cloaca-nb history logs --follow"),
    "sql": ('cloaca-nb history sql "FROM run_summary" --csv',),
    "prune": ("cloaca-nb history prune --keep 20 --dry-run", 'cloaca-nb history prune --keep "30 days"'),
}


def epilog(command: str) -> str:
    """Return what stands below the options of a command."""
    return "\n".join(["\b", "Examples:", *(f"  {example}" for example in EXAMPLES[command])])
