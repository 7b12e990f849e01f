"""What a value is: a copy of its own for each task, equality, a digest and a description; no library is loaded."""

from cloaca_nb.values.alterations import lost
from cloaca_nb.values.copies import isolate
from cloaca_nb.values.digests import Description, describe, key
from cloaca_nb.values.equality import equal
from cloaca_nb.values.numpy_arrays import hint

__all__ = ["Description", "describe", "equal", "hint", "isolate", "key", "lost"]
