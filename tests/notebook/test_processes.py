"""Task cells that run in processes, in a real kernel: what the cells define is known there."""

import nbformat
from nbclient import NotebookClient

LOAD = """\
%%cloaca_task load --executor process
print("in its own process:", os.getpid() != kernel)
rows = [multiply(2)]
point = Point(4)"""
CELLS = [
    "%load_ext cloaca_nb\nimport os\nkernel = os.getpid()\nfactor = 3",
    "def multiply(number):\n    return number * factor",
    "class Point:\n    def __init__(self, x):\n        self.x = x",
    LOAD,
    "%%cloaca_task clean --executor process\ntotal = sum(rows) + point.x",
    "%%cloaca_task boom --executor process --after clean\nratio = total / 0",
    "%cloaca_run",
    "%cloaca_pull total point\nprint(total, type(point) is Point)",
]


def text_of(cell):
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", "") + "\n".join(output.get("traceback", ())))
        parts.append(str(output.get("data", {}).get("text/plain", "")))
    return "\n".join(parts)


def test_cells_run_in_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOACA_HISTORY", ":memory:")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, allow_errors=True, timeout=100, resources=resources).execute()
    ran = text_of(notebook.cells[-2])
    assert "in its own process: True" in ran
    assert "ZeroDivisionError" in ran
    assert "Cell In[6], line 2" in ran
    assert "ratio = total / 0" in ran
    assert "10 True" in text_of(notebook.cells[-1])


def test_a_cell_runs_on_an_executor_that_the_notebook_defines(cell):
    cell("import threading\nfrom concurrent.futures import ThreadPoolExecutor\npools = {}\nclass Pools: ...")
    cell("Pools.one = ThreadPoolExecutor(1, thread_name_prefix='mine')")
    cell("%%cloaca_task load --executor Pools.one\nname = threading.current_thread().name")
    cell("%%cloaca_task near --executor thread\nother = threading.current_thread().name")
    final = cell("%cloaca_run").value.final_context
    assert final["name"].startswith("mine")
    assert not final["other"].startswith("mine")
    cell("Pools.one = ThreadPoolExecutor(1, thread_name_prefix='newer')")
    assert cell("%cloaca_run").value.final_context["name"].startswith("newer")
    assert "executor=Pools.one" in cell("%cloaca_show load").shown[0]
