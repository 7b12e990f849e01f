"""Which names the members of an archive may have: inside its folder, on every file system, and hiding no module."""

import keyword
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = [
    "OF_OTHER_VERSIONS",
    "VENDOR",
    "collisions",
    "module_name_problem",
    "name_problem",
    "shadowing",
    "shown",
    "tidy",
]

VENDOR: Final = "vendor"
LONGEST_PART: Final = 255  # bytes: what file systems hold
LONGEST_PATH: Final = 1000  # bytes: leaves room for the folder that it is unpacked into
DEEPEST: Final = 32  # folders
SHOWN: Final = 80  # characters of a name in a message

# What the reference page lists, and what the standard library of some but not of every Python from 3.11 on has or had.
_LISTED: Final = """
    os sys subprocess shutil socket http urllib ctypes importlib pathlib io json pickle marshal code codeop compile
    compileall builtins signal multiprocessing threading tempfile glob fnmatch
""".split()  # noqa: SIM905 - a list of words is read as words
OF_OTHER_VERSIONS: Final = """
    aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap msilib nis nntplib
    ossaudiodev pipes smtpd sndhdr spwd sre_compile sre_constants sre_parse sunau telnetlib uu xdrlib
    _bootsubprocess _compression _crypt _msi _sha256 _sha512 _xxinterpchannels _xxsubinterpreters
    annotationlib compression profiling _android_support _apple_support _ast_unparse _colorize _hmac _interpchannels
    _interpqueues _interpreters _ios_support _math_integer _opcode_metadata _py_warnings _pydatetime _pylong _pyrepl
    _remote_debugging _sha2 _suggestions _sysconfig _types _wmi _zstd
""".split()  # noqa: SIM905
_OURS: Final = ("cloaca", "cloaca_nb")
_TAKEN: Final = frozenset([*sys.stdlib_module_names, *_LISTED, *OF_OTHER_VERSIONS, *_OURS, "__main__"])
# What Windows takes for a device, whatever its suffix, and the characters that it has in no name.
_DEVICES: Final = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789")}
_NOT_ON_WINDOWS: Final = frozenset('<>:"|?*')
_DOTS: Final = (".", "..")  # folders, not names
_IMPORTABLE: Final = (".py", ".pyc", ".pyw", ".so", ".pyd", ".dll", ".dylib")


def tidy(name: str) -> str:
    """Return a member's name without what means nothing in it; empty for the archive's own folder.

    >>> tidy("./data_pipeline//helpers.py"), tidy("./")
    ('data_pipeline/helpers.py', '')
    """
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def name_problem(name: str) -> str | None:
    """Return why a member of this name is refused; None if it isn't.

    >>> name_problem("a/../b")
    "Member 'a/../b' climbs out of its folder by '..'."
    """
    parts = name.split("/")
    checks = {
        "has an absolute path": name.startswith("/") or name[1:2] == ":",
        "climbs out of its folder by '..'": ".." in parts,
        "has a backslash in its name, which is another folder on Windows": "\\" in name,
        "has a name that Windows can't have": any(map(_is_refused_by_windows, parts)),
        "has a character in its name that can't be seen or is none": any(map(_is_unseen, name)),
        f"lies more than {DEEPEST} folders deep": len(parts) > DEEPEST,
        "has too long a name": max(_size(name) - LONGEST_PATH, *(_size(part) - LONGEST_PART for part in parts)) > 0,
    }
    return next((f"Member {shown(name)} {said}." for said, holds in checks.items() if holds), None)


def collisions(files: Iterable[str]) -> Iterator[str]:
    """Yield a problem for each two files that are one somewhere: by letter case, by accents, or as file and folder.

    Args:
        files: tidy names, each once.
    """
    seen: dict[str, str] = {}
    ordered = sorted(files)
    for path in ordered:
        known = seen.setdefault(_folded(path), path)
        if known != path:
            yield f"Members {shown(known)} and {shown(path)} are one file where letter case doesn't count."
    folders: dict[str, str] = {}
    for path in ordered:
        parts = path.split("/")
        for length in range(1, len(parts)):
            folder = "/".join(parts[:length])
            known = folders.setdefault(_folded(folder), folder)
            if known != folder:
                folders[_folded(folder)] = folder
                yield f"Folders {shown(known)} and {shown(folder)} are one where letter case doesn't count."
    yield from (f"Member {shown(path)} is a file and a folder." for path in ordered if _folded(path) in folders)


def shadowing(files: Iterable[str]) -> Iterator[str]:
    """Yield a problem for each name directly under the root or ``vendor/`` that hides a module of Python, or ours.

    Args:
        files: tidy names.
    """
    found: dict[str, str] = {}
    for path in files:
        parts = path.split("/")
        inner = parts[1:] if parts[0] == VENDOR and len(parts) > 1 else parts
        name = inner[0] if len(inner) > 1 else _module_of_file(inner[0])
        if name in _TAKEN:
            found.setdefault("/".join(parts[: len(parts) - len(inner) + 1]), name)
    for path, name in found.items():
        whose = "cloaca_nb's own" if name in _OURS else "Python's"
        yield f"{shown(path)} would hide {whose} module {name!r}. Rename it, or leave it out."


def module_name_problem(module: str) -> str | None:
    """Return why a dotted name can't be an archive's entry module; None if it can."""
    parts = module.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return f"entry_module {shown(module)} is no dotted Python name, like 'data_pipeline' or 'flights.tasks'."
    if parts[0] in _TAKEN:
        return f"entry_module {shown(module)} has the name of a module of Python or of cloaca_nb. Rename the package."
    return None


def shown(name: str) -> str:
    """Return a name as messages show it: quoted, in plain characters, and not without end."""
    return ascii(name if len(name) <= SHOWN else f"{name[:SHOWN]}...")


def _module_of_file(name: str) -> str:
    """Return the module that a file is; empty if it is none."""
    return name.partition(".")[0] if name.endswith(_IMPORTABLE) else ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def _is_unseen(character: str) -> bool:
    """Say whether it is a control or format character, half of one, or not assigned."""
    return unicodedata.category(character).startswith("C")


def _is_refused_by_windows(part: str) -> bool:
    stem = part.partition(".")[0].rstrip(" ").lower()
    return stem in _DEVICES or not _NOT_ON_WINDOWS.isdisjoint(part) or (part.endswith((".", " ")) and part not in _DOTS)


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
