"""The blocks of the pages, each a program of its own: its lines unchanged, executed, and looked at.

task.txt and packaging.txt lost the indentation of their code, so a case gives each line's depth. What a page has its
reader bring along (a helper, a library, a file) is the case's prelude.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

PAGES = Path(__file__).resolve().parents[2] / "shared" / "reference"
needs_pages = pytest.mark.skipif(not PAGES.is_dir(), reason=f"the reference pages are not at {PAGES}")

EXECUTE = """
import cloaca, json
builder = cloaca.WorkflowBuilder("page")
for task_id in {tasks!r}:
    builder.add_task(task_id)
builder.build()
runner = cloaca.DefaultRunner("sqlite:///:memory:")
result = runner.execute("page", cloaca.Context({initial!r}))
runner.shutdown()
assert result.status == str(result.status).lower()
print(json.dumps([str(result.status), list(dict(result.final_context).items())]))
"""


class Block(NamedTuple):
    """A block of a page whose code has lost its indentation.

    Attributes:
        name: what the case is called.
        start: its first line.
        depths: how deep each of its lines is indented, a digit each.
        tasks: ids, which are executed as a workflow.
        final: what the final context holds, in insertion order.
        prelude: what the reader brings along.
        initial: the initial context.
        out: what is printed on stdout.
        status: how the run ends.
    """

    name: str
    start: str
    depths: str
    tasks: tuple[str, ...] = ()
    final: tuple[tuple[str, object], ...] = ()
    prelude: str = "import cloaca"
    initial: tuple[tuple[str, object], ...] = ()
    out: tuple[str, ...] = ()
    status: str = "Completed"


NUMBERS = {"raw_data": [1, 2, 3, 4, 5]}
SIGNATURES = "def on_success_callback(task_id: str, context: Context) -> None:"
USES_THEM = """import cloaca
from cloaca import Context
"""
SERVICES = """import os, shutil  # the page's libraries of the standard library, and stand-ins for those of its reader
class statsd: timing = staticmethod(print)
class requests: post = staticmethod(lambda url, json: print(url, json))
"""
ARRIVED = """import cloaca, os  # the file has arrived
there = os.path.exists
os.path.exists = lambda path: path == "/data/input.csv" or there(path)
"""
OPERATION = "import cloaca\nperform_operation = lambda: 42"
INVALID = (("error", "Required 'data' field is missing"), ("valid", False))
WRONG_TYPE = (("data", "text"), ("error", "Expected dict, got str"), ("valid", False))

BLOCKS = [
    Block("my_task", "import cloaca", "0001111", ("my_task",), (("result", "Task completed successfully"),), ""),
    Block(
        "fetch_and_process",
        '@cloaca.task(id="fetch_data")',
        "0011110011111",
        ("fetch_data", "process_data"),
        (("raw_data", NUMBERS), ("processed_data", {"processed_data": [2, 4, 6, 8, 10]})),
    ),
    Block("async_task", "import asyncio", "0001111", ("async_task",), (("async_result", "Async operation completed"),)),
    Block(
        "safe_task, its operation undefined",
        '@cloaca.task(id="safe_task")',
        "001122221221",
        ("safe_task",),
        (("success", False), ("error", "name 'risky_operation' is not defined")),
    ),
    Block(
        "safe_task",
        '@cloaca.task(id="safe_task")',
        "001122221221",
        ("safe_task",),
        (("success", True), ("result", 42)),
        "import cloaca\nrisky_operation = lambda: 42",
    ),
    Block("callbacks by signature", SIGNATURES, "011011", prelude=USES_THEM),
    Block(
        "monitored_task",
        "import cloaca\ndef log_success(task_id, context):",
        "0" + "0111" + "0111" + "01110" + "01111",
        ("monitored_task",),
        (("result", 42),),
        "perform_operation = lambda: 42",
        out=("Task 'monitored_task' completed successfully",),
    ),
    Block(
        "monitored_task, its operation undefined",
        "import cloaca\ndef log_success(task_id, context):",
        "0" + "0111" + "0111" + "01110" + "01111",
        ("monitored_task",),
        prelude="",
        out=("ALERT: Task 'monitored_task' failed: name 'perform_operation' is not defined",),
        status="Failed",
    ),
    Block("resilient_task", "def buggy_callback(task_id, context):", "010011", ("resilient_task",)),
    Block("patterns of callbacks", "# Alerting pattern", "00112100110" + "0112", prelude=SERVICES),
    Block(
        "context_example",
        '@cloaca.task(id="context_example")',
        "00111111111",
        ("context_example",),
        (("input_key", "given"), ("output_key", "GIVEN"), ("processing_complete", True)),
        initial=(("input_key", "given"),),
    ),
    Block(
        "context_example, by default",
        '@cloaca.task(id="context_example")',
        "00111111111",
        ("context_example",),
        (("output_key", "DEFAULT_VALUE"), ("processing_complete", True)),
    ),
    Block(
        "idempotent_task",
        '@cloaca.task(id="idempotent_task")',
        "001112111111",
        ("idempotent_task",),
        (("result", 42), ("already_processed", True)),
        OPERATION,
    ),
    Block(
        "idempotent_task, processed before",
        '@cloaca.task(id="idempotent_task")',
        "001112111111",
        ("idempotent_task",),
        (("already_processed", True),),
        initial=(("already_processed", True),),
    ),
    Block(
        "validation, no data",
        '@cloaca.task(id="validation_task")',
        "001112221222" + "11",
        ("validation_task",),
        INVALID,
    ),
    Block(
        "validation, no dict",
        '@cloaca.task(id="validation_task")',
        "00111222122211",
        ("validation_task",),
        WRONG_TYPE,
        initial=(("data", "text"),),
    ),
    Block(
        "validation",
        '@cloaca.task(id="validation_task")',
        "00111222122211",
        ("validation_task",),
        (("data", {"a": 1}), ("valid", True)),
        initial=(("data", {"a": 1}),),
    ),
    Block(
        "wait_for_ready",
        '@cloaca.task(id="wait_for_ready")',
        "001122111",
        ("wait_for_ready",),
        (("ready", True),),
        "import cloaca\nsome_external_check = lambda: True",
    ),
    Block(
        "wait_for_file",
        '@cloaca.task(id="wait_for_file")',
        "0011122111",
        ("wait_for_file",),
        (("file_path", "/data/input.csv"),),
        ARRIVED,
    ),
]
MIXED = Block("mixed_pipeline", 'with cloaca.WorkflowBuilder("mixed_pipeline") as builder:', "0" + "1122" + "11222")
DIRECT = Block("a direct call", "ctx = cloaca.Context()", "00")


def code_of(block: Block, page: str) -> str:
    """Return the block's lines as they stand on the page, indented."""
    text = (PAGES / page).read_text()
    assert f"\n{block.start}\n" in text
    start = text.index(f"\n{block.start}\n") + 1
    lines = text[start:].splitlines()[: len(block.depths)]
    return "\n".join("    " * int(depth) + line for depth, line in zip(block.depths, lines, strict=True))


@needs_pages
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_of_the_task_page(block, run_script):
    code = f"{block.prelude}\n{code_of(block, 'task.txt')}\n"
    if block.tasks:
        code += EXECUTE.format(tasks=block.tasks, initial=dict(block.initial))
    out, _ = run_script(code)
    if block.tasks:
        *out, ended = out
        assert json.loads(ended) == [block.status, [list(item) for item in json.loads(json.dumps(block.final))]]
    assert tuple(out) == block.out


@needs_pages
def test_the_mixed_workflow_of_the_task_page(run_script):
    code = f"import cloaca\n{code_of(MIXED, 'task.txt')}\n"
    code += 'print(cloaca.DefaultRunner(":memory:").execute("mixed_pipeline", cloaca.Context()).final_context.data)'
    assert run_script(code) == (["{'step_1': True, 'step_2': True}"], [])


@needs_pages
def test_a_task_with_a_handle_is_called_directly(run_script):
    prelude = """import cloaca
@cloaca.task()
def my_handle_task(context, handle):
    context.set("handle", handle)
    return context
"""
    assert run_script(f"{prelude}{code_of(DIRECT, 'task.txt')}\nprint(dict(result))") == (["{'handle': None}"], [])


@needs_pages
def test_every_task_of_the_task_page_is_in_a_case():
    named = set(re.findall(r'id="(\w+)"', (PAGES / "task.txt").read_text()))
    cases = {one for block in (*BLOCKS, MIXED) for one in re.findall(r'id="(\w+)"', code_of(block, "task.txt"))}
    assert named == cases


def workflow_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (PAGES / "workflow.txt").read_text(), re.DOTALL | re.MULTILINE)


FAILED_STATE = [["success", False], ["error", "name 'perform_risky_operation' is not defined"]]
USERS = [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}]
ORDERS = [{"id": 101, "user_id": 1}, {"id": 102, "user_id": 2}]
SALES = {"users": 100, "orders": 250, "revenue": 15000}
METRICS = {"total_users": 100, "total_orders": 250, "total_revenue": 15000, "avg_order_value": 60.0}
WORKFLOW_BLOCKS = [  # number on the page, which workflow it ends in (None: its loose tasks), final context, stdout
    (0, "workflow", [["step", "A completed, B completed"]], []),
    (
        4,
        "etl_workflow",
        [["raw_data", SALES], ["metrics", METRICS], ["load_complete", True]],
        [f"Loading metrics: {METRICS}"],
    ),
    (
        5,
        "create_parallel_workflow()",
        [["users", USERS], ["orders", ORDERS], ["merged_data", {"users": USERS, "orders": ORDERS}]],
        [],
    ),
    (
        6,
        '"first_workflow"',
        FAILED_STATE,
        ["Task failed with error: name 'perform_risky_operation' is not defined"],
    ),
]


@needs_pages
@pytest.mark.parametrize(
    ("number", "workflow", "final", "printed"), WORKFLOW_BLOCKS, ids=["create", "etl", "parallel", "errors"]
)
def test_a_block_of_the_workflow_page(number, workflow, final, printed, run_script):
    code = f"""import cloaca, json
{workflow_blocks()[number]}
with cloaca.DefaultRunner("sqlite:///:memory:") as runner:
    result = runner.execute({workflow}, cloaca.Context())
assert result.status == "Completed" and result.status == "completed"
print(json.dumps(list(dict(result.final_context).items())))
"""
    out, err = run_script(code)
    assert json.loads(out[-1]) == final
    assert out[:-1] == printed
    assert err == []


@needs_pages
def test_the_workflow_of_the_packaging_page_runs_as_it_is_verified_there(run_script):
    text = (PAGES / "packaging.txt").read_text()
    depths = "001" + "1122222" + "11222" + "11222"
    lines = text[text.index("import cloaca\nwith ") :].splitlines()[: len(depths)]
    tasks = "\n".join("    " * int(depth) + line for depth, line in zip(depths, lines, strict=True))
    check = text[text.index("import cloaca\nrunner = ") :].splitlines()[:7]
    verify = "\n".join("    " * int(depth) + line for depth, line in zip("0001101", check, strict=True))
    prelude = "fetch_from, clean = str.split, sorted\ndef write_to(place, data): print(place, data)"
    asks = 'source = cloaca.var("DATA_SOURCE")', 'timeout = cloaca.var_or("FETCH_TIMEOUT", "30")'
    assert all(line in text for line in asks)
    code = "\n".join([prelude, tasks, verify, *asks, "print(source, timeout)"])
    variables = {"CLOACINA_VAR_DATA_SOURCE": "b a", "CLOACINA_VAR_WAREHOUSE_URL": "there"}
    assert run_script(code, **variables) == (["there ['a', 'b']", "b a 30"], [])


NOTE = "is kept in"
URLS = [  # URL, the files that appear, how often stderr names the DuckDB file
    (None, [".cloaca/.gitignore", ".cloaca/history.duckdb"], 0),
    ("duckdb:///rel.duckdb", ["rel.duckdb"], 0),
    ("duckdb:///{folder}/abs.duckdb", ["abs.duckdb"], 0),
    ("bare.duckdb", ["bare.duckdb"], 0),
    ("sqlite:///tutorial_01.db", ["tutorial_01.duckdb"], 1),
    (":memory:", [], 0),
    ("sqlite://:memory:", [], 0),
    ("sqlite:///:memory:", [], 0),
    ("duckdb:///:memory:", [], 0),
]
TWICE = """
import sys, cloaca
with cloaca.WorkflowBuilder("one") as builder:
    @cloaca.task()
    def one(context):
        context["x"] = 1
for _ in range(2):
    with cloaca.DefaultRunner(sys.argv[1] if len(sys.argv) > 1 else None) as runner:
        print(runner.execute("one").status, len(runner.history().runs()))
"""


@pytest.mark.parametrize(("url", "files", "said"), URLS, ids=[str(case[0]) for case in URLS])
def test_each_form_of_a_url_in_an_empty_folder(url, files, said, run_script, tmp_path):
    folder = tmp_path / "script"
    arguments = [] if url is None else [url.format(folder=folder)]
    out, err = run_script(TWICE, *arguments)
    assert out == ["Completed 1", f"Completed {2 if files else 1}"]
    assert len(err) == said
    assert all(files[0] in line and NOTE in line for line in err)
    made = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert sorted(one for one in made if "-journals/" not in one) == files
