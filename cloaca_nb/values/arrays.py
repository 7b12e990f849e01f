"""numpy's arrays in numpy's own file format, and what finds the memory of a mapped file for a column."""

from typing import IO, Any, Final

from cloaca_nb.values.tagged import Unsuitable

__all__ = ["Buffer", "fits", "heading", "memory", "read", "write"]

Buffer = Any  # bytes, or a private, writable memory map: what is written to it never reaches the file
_WITHOUT_OBJECTS: Final = "biufcmMSUV"


def fits(value: Any) -> bool:
    """Whether a value is an array of numpy's own, without Python objects in it."""
    import numpy as np

    return type(value) is np.ndarray and not value.dtype.hasobject and value.dtype.kind in _WITHOUT_OBJECTS


def write(value: Any, file: IO[bytes]) -> None:
    """Write an array, in blocks."""
    import numpy as np

    try:
        np.lib.format.write_array(file, value, allow_pickle=False)
    except ValueError as error:  # of a dtype that the format can't spell
        raise Unsuitable(str(error)) from error


def read(data: Buffer) -> Any:
    """Return the array: on a map's own memory, else on a copy of it; it can be written to in both cases."""
    import numpy as np

    shape, dtype, is_fortran, start = heading(data)
    count = int(np.prod(shape, dtype=np.int64))
    flat = memory(data, dtype, count, start) if dtype.itemsize * count else np.empty(count, dtype)
    return flat.reshape(shape, order="F" if is_fortran else "C")


def heading(data: Buffer) -> tuple[tuple[int, ...], Any, bool, int]:
    """Return an array's shape and dtype, whether its order is Fortran's, and where in the file its elements begin."""
    from io import BytesIO

    import numpy as np

    head = BytesIO(bytes(data[:_HEAD]))
    version = np.lib.format.read_magic(head)
    read_head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_head(head)
    return shape, dtype, is_fortran, head.tell()


def memory(data: Buffer, dtype: Any, count: int, start: int) -> Any:
    """Return elements that stand in a buffer as an array that can be written to."""
    import numpy as np

    array: Any = np.frombuffer(data, dtype, count, start)
    return array if array.flags.writeable else array.copy()


_HEAD: Final = 1 << 16  # bytes: numpy refuses longer headers of its own accord
