"""Arrow's tables: shared, and how they are stored doesn't count."""

from decimal import Decimal

import pyarrow as pa
import pytest

from cloaca_nb.values import describe, equal, isolate

NAN = float("nan")
TABLE = pa.table(
    {
        "i": [1, None, 3, 4],
        "f": [NAN, None, 1.0, -0.0],
        "s": ["a", None, "bc", ""],
        "b": [True, None, False, True],
        "d": [Decimal("1.1"), None, Decimal("2.2"), Decimal(0)],
        "l": [[1.0, NAN], None, [], [None]],
        "r": [{"x": NAN, "y": "a"}, None, {"x": 1.0, "y": None}, {"x": None, "y": ""}],
        "c": pa.array(["u", None, "v", "u"]).dictionary_encode(),
    }
)
WAYS = [
    lambda table: pa.concat_tables([table[:1], table[1:3], table[3:]]),
    lambda table: pa.concat_tables([table, table])[2:6].take([2, 3, 0, 1]),
    lambda table: pa.Table.from_pylist(table.to_pylist(), table.schema),
    lambda table: table.filter([True] * 4),
]


@pytest.mark.parametrize("way", WAYS, ids=["chunks", "slices", "objects", "filter"])
def test_how_a_table_is_stored_does_not_count(way):
    other = way(TABLE)
    assert equal(TABLE, other)
    assert describe(TABLE).digest == describe(other).digest


@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_slices_of_a_column(start):
    for name in TABLE.column_names:
        column = TABLE[name][start:]
        rebuilt = pa.chunked_array([pa.array(column.to_pylist(), column.type)])
        assert equal(column, rebuilt), name
        assert describe(column).digest == describe(rebuilt).digest


def test_a_table_is_shared():
    assert isolate({"t": TABLE})["t"] is TABLE


def test_the_preview_of_a_table():
    assert describe(TABLE).preview.startswith("4 rows × 8 columns: i int64, f double, s string, b bool, ")
