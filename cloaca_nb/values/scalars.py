"""The JSON forms of single values and of the standard library's containers: what each type is made of, and back."""

import struct
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import EllipsisType, NotImplementedType, SimpleNamespace
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

__all__ = ["WRITERS", "from_library", "reader"]

_double: Final = struct.Struct("<d")
_NAN: Final = _double.pack(float("nan"))
_FACTORIES: Final = {kind.__name__: kind for kind in (list, dict, set, tuple, int, float, str, bool)}


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _real(value: float) -> Any:
    return value if value - value == 0 else _float(value)  # JSON has no NaN and no infinities


def _float(value: float) -> str:
    bits = _double.pack(value)
    return repr(value) if value == value or bits == _NAN else f"nan {bits.hex()}"  # noqa: PLR0124 - but for NaN


def _make_float(payload: float | str) -> float:
    if isinstance(payload, str) and payload.startswith("nan "):
        number: float = _double.unpack(bytes.fromhex(payload[4:]))[0]
        return number
    return float(payload)


def _time(value: datetime | time) -> list[Any]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, value.tzinfo]


def _zone(value: timezone) -> list[Any]:
    return [value.utcoffset(None), value.tzname(None)]


def _factory(value: defaultdict[Any, Any]) -> Any:
    factory = value.default_factory
    name = getattr(factory, "__name__", None)
    if factory is not None and _FACTORIES.get(str(name)) is not factory:
        return None
    return [None if factory is None else name, [list(item) for item in value.items()]]


def _items(value: dict[Any, Any]) -> list[Any]:
    return [list(item) for item in value.items()]


def _make_zone(payload: list[Any]) -> timezone:
    offset, name = payload
    plain = timezone(offset)
    return plain if plain.tzname(None) == name else timezone(offset, name)


def _make_counter(payload: list[Any]) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    counter.update(dict(payload))
    return counter


def _make_datetime(payload: list[Any]) -> datetime:
    return datetime.fromisoformat(payload[0]).replace(fold=payload[1], tzinfo=payload[2])


def _make_time(payload: list[Any]) -> time:
    return time.fromisoformat(payload[0]).replace(fold=payload[1], tzinfo=payload[2])


def _make_defaultdict(payload: list[Any]) -> defaultdict[Any, Any]:
    return defaultdict(None if payload[0] is None else _FACTORIES[payload[0]], payload[1])


def _make_namespace(payload: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(**dict(payload))


_Shape = tuple[str, Callable[[Any], Any], Callable[[Any], Any]]
_SHAPES: Final[dict[type, _Shape]] = {  # tag, what it is made of (None: it can't be said), and made anew
    int: ("int", lambda value: f"{value:x}", lambda text: int(text, 16)),
    float: ("float", _float, _make_float),
    complex: ("complex", lambda v: [_real(v.real), _real(v.imag)], lambda pair: complex(*map(_make_float, pair))),
    bytes: ("bytes", _text, b64decode),
    bytearray: ("bytearray", _text, lambda text: bytearray(b64decode(text))),
    date: ("date", date.isoformat, date.fromisoformat),
    datetime: ("datetime", _time, _make_datetime),
    time: ("time", _time, _make_time),
    timedelta: ("timedelta", lambda v: [v.days, v.seconds, v.microseconds], lambda numbers: timedelta(*numbers)),
    timezone: ("timezone", _zone, _make_zone),
    ZoneInfo: ("ZoneInfo", lambda value: value.key, ZoneInfo),
    Decimal: ("Decimal", str, Decimal),
    Fraction: ("Fraction", lambda v: [v.numerator, v.denominator], lambda pair: Fraction(*pair)),
    UUID: ("UUID", str, UUID),
    range: ("range", lambda v: [v.start, v.stop, v.step], lambda numbers: range(*numbers)),
    slice: ("slice", lambda v: [v.start, v.stop, v.step], lambda ends: slice(*ends)),
    EllipsisType: ("Ellipsis", lambda _: "", lambda _: ...),
    NotImplementedType: ("NotImplemented", lambda _: "", lambda _: NotImplemented),
    tuple: ("tuple", list, tuple),
    set: ("set", list, set),
    frozenset: ("frozenset", list, frozenset),
    deque: ("deque", lambda v: [v.maxlen, list(v)], lambda payload: deque(payload[1], payload[0])),
    OrderedDict: ("OrderedDict", _items, OrderedDict),
    Counter: ("Counter", _items, _make_counter),
    defaultdict: ("defaultdict", _factory, _make_defaultdict),
    SimpleNamespace: ("SimpleNamespace", lambda value: _items(dict(vars(value))), _make_namespace),
    **{kind: (kind.__name__, str, kind) for kind in (PosixPath, PurePosixPath, PureWindowsPath, WindowsPath)},
}

WRITERS: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    kind: (tag, write) for kind, (tag, write, _) in _SHAPES.items()
}
_READERS: Final[dict[str, Callable[[Any], Any]]] = {tag: read for tag, _, read in _SHAPES.values()}


def from_library(value: Any) -> tuple[str, Any] | None:
    """Return tag and parts of a scalar of numpy's or pandas', None for any other value."""
    library = str(type(value).__module__).partition(".")[0]
    if library == "numpy":
        return _of_numpy(value)
    return _of_pandas(value) if library == "pandas" else None


def _of_numpy(value: Any) -> tuple[str, Any] | None:
    import numpy as np

    plain = isinstance(value, np.generic) and type(value).__module__ == "numpy" and value.dtype.kind in "biufcmMSU"
    return ("numpy", [value.dtype.str, value.tobytes()]) if plain else None


def _of_pandas(value: Any) -> tuple[str, Any] | None:
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        return "missing", "NaT" if value is pd.NaT else "NA"
    if type(value) is pd.Timestamp:
        if value.fold and value.tzinfo is None:
            return None
        instant = value if value.tzinfo is None else value.tz_convert("UTC").tz_localize(None)
        return "Timestamp", [int(instant.to_datetime64().astype("int64")), value.unit, value.tzinfo]
    if type(value) is pd.Timedelta:
        return "Timedelta", [int(value.to_timedelta64().astype("int64")), value.unit]
    if type(value) is pd.Period:
        return "Period", [value.ordinal, value.freqstr]
    return ("Interval", [value.left, value.right, value.closed]) if type(value) is pd.Interval else None


def reader(tag: str) -> Callable[[Any], Any]:
    """Return what makes a value of what stands under a tag.

    Raises:
        LookupError: for a tag that isn't known, e.g. of a later version.
    """
    found = _READERS.get(tag) or _OF_LIBRARIES.get(tag)
    if found is None:
        raise LookupError(f"There is no value of kind {tag!r} in this version of cloaca_nb; use the one that wrote it.")
    return found


def _make_numpy(payload: list[Any]) -> Any:
    import numpy as np

    return np.frombuffer(payload[1], payload[0])[0]


def _make_missing(payload: str) -> Any:
    import pandas as pd

    return pd.NaT if payload == "NaT" else pd.NA


def _make_timestamp(payload: list[Any]) -> Any:
    import numpy as np
    import pandas as pd

    number, unit, zone = payload
    instant = pd.Timestamp(np.datetime64(number, unit))
    return instant if zone is None else instant.tz_localize("UTC").tz_convert(zone)


def _make_timedelta(payload: list[Any]) -> Any:
    import numpy as np
    import pandas as pd

    return pd.Timedelta(np.timedelta64(*payload))


def _make_period(payload: list[Any]) -> Any:
    import pandas as pd

    return pd.Period(ordinal=payload[0], freq=payload[1])


def _make_interval(payload: list[Any]) -> Any:
    import pandas as pd

    return pd.Interval(*payload)


_OF_LIBRARIES: Final[dict[str, Callable[[Any], Any]]] = {
    "numpy": _make_numpy,
    "missing": _make_missing,
    "Timestamp": _make_timestamp,
    "Timedelta": _make_timedelta,
    "Period": _make_period,
    "Interval": _make_interval,
}
