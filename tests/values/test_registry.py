"""The adapters are found without loading a library."""

import os
import subprocess
import sys

SCRIPT = """
import sys
before = set(sys.modules)
from cloaca_nb.values.copies import isolate
from cloaca_nb.values.digests import describe, key
from cloaca_nb.values.equality import equal
import cloaca_nb.values
for value in ({"a": [1, {2}]}, (1.5, "x"), b"y"):
    assert equal(isolate(value), value) and describe(value) and key(value)
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
loaded = {name for name in loaded if not name.startswith("_sysconfigdata")}
print(*sorted(loaded - sys.stdlib_module_names - {"cloaca_nb"}))
"""


def test_plain_values_load_the_standard_library_only():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert ran.stdout.strip() == ""
