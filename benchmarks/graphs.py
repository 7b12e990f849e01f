"""The graphs that are timed: for each task the tasks that it depends on."""

from collections.abc import Mapping

__all__ = ["GRAPHS", "Graph", "chain", "fan", "layers"]

Graph = Mapping[str, tuple[str, ...]]


def chain(count: int) -> Graph:
    """One task after the other."""
    return {str(number): (str(number - 1),) if number else () for number in range(count)}


def fan(count: int) -> Graph:
    """One task, then many at once, then one."""
    middle = [f"m{number}" for number in range(count - 2)]
    return {"first": (), **dict.fromkeys(middle, ("first",)), "last": tuple(middle)}


def layers(count: int, width: int = 100, fan_in: int = 3) -> Graph:
    """Layers of `width` tasks, each depending on `fan_in` tasks of the layer before."""
    return {
        str(number): tuple(str((number // width - 1) * width + (number + step) % width) for step in range(fan_in))
        if number >= width
        else ()
        for number in range(count)
    }


GRAPHS: Mapping[str, Graph] = {
    "chain of 1,000": chain(1_000),
    "fan of 1,000": fan(1_000),
    "layers, 10,000": layers(10_000),
}
