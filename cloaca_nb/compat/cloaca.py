"""The import name `cloaca`, for code written for that library; where that is installed, Python finds it first."""

from cloaca_nb import *  # noqa: F403 - the whole door, under the other name
