"""Secrets of a run, from end to end: no byte of them in the history's folder, on the screen, or in what comes back."""

import logging
import subprocess
import sys

import pytest

import cloaca_nb as cloaca
from cloaca_nb.config import DefaultRunnerConfig
from cloaca_nb.core.context import Context
from cloaca_nb.core.graph import Workflow
from cloaca_nb.core.names import Keys
from cloaca_nb.core.secret import MASK
from cloaca_nb.core.task import Task
from cloaca_nb.declare.builder import WorkflowBuilder
from cloaca_nb.declare.code_text import digest_text
from cloaca_nb.engine.handle import current_handle, track
from cloaca_nb.errors import DefinitionError, HistoryError
from cloaca_nb.runner import DefaultRunner
from cloaca_nb.values.digests import describe

# In two parts: the source of a task is kept in its history, too.
HALF, OTHER_HALF = "s3cr3t-", "v4lu3"
VALUE = HALF + OTHER_HALF


def prints(context):
    print("the key is", context["api_key"])
    print("in half a line", end="")
    print(context["api_key"], file=sys.stderr)


def raises(context):
    raise ConnectionError(f"https://user:{context['api_key']}@host refused")


def raises_from(context):
    try:
        {}[context["api_key"]]
    except KeyError as error:
        error.add_note(f"with {context['api_key']}")
        raise RuntimeError("that failed") from error


def raises_before_it_is_set(context):
    password = HALF + OTHER_HALF
    raise ValueError(f"no login with {password}")


def sets(context):
    context["session_token"] = HALF + OTHER_HALF
    print("got", context["session_token"])


def sets_inside(context):
    context["settings"] = {"db": [{"password": HALF + OTHER_HALF}]}
    print(context["settings"])


def sets_a_holder(context):
    context["address"] = f"https://user:{context['api_key']}@host"
    context["headers"] = {"Authorization": ["Bearer", context["api_key"]]}


def passes_on(context):
    context["other"] = context["api_key"]


def says_how_far(context):
    for _ in track([1], message=f"at {context['api_key']}"):
        pass


def draws_a_bar(context):
    tqdm = pytest.importorskip("tqdm")
    for _ in tqdm.tqdm([1, 2], desc=context["api_key"]):
        pass


def logs(context):
    logging.getLogger("of a test").warning("with %s", context["api_key"])


def shows_a_frame(context):
    import pandas as pd  # noqa: PLC0415 - only here

    print(pd.DataFrame({"key": [context["api_key"]]}))


def asks_outside(context):
    import cloaca_nb  # noqa: PLC0415 - as a user would

    print(cloaca_nb.var("DB_PASSWORD"))


def returns_wrong(context):
    return context["api_key"]


BODIES = [
    prints,
    raises,
    raises_from,
    raises_before_it_is_set,
    sets,
    sets_inside,
    sets_a_holder,
    passes_on,
    says_how_far,
    draws_a_bar,
    logs,
    shows_a_frame,
    asks_outside,
    returns_wrong,
]
ELSEWHERE = [prints, raises_from, sets, says_how_far, asks_outside, returns_wrong]
RUNS = [*((body, None) for body in BODIES), *((body, "process") for body in ELSEWHERE)]


def flow(*bodies, **options):
    tasks, keys = [], options.get("keys", Keys())
    for body in bodies:
        before = (tasks[-1].id,) if tasks else ()
        tasks.append(Task(body.__name__, body, before, keys=keys, executor=options.get("executor")))
    return Workflow("flow", tasks, secret=options.get("secret", ()), parameters=options.get("parameters"))


def all_bytes(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("body", "executor"), RUNS, ids=[f"{body.__name__}, {where}" for body, where in RUNS])
def test_no_byte_of_a_secret_is_left_behind(body, executor, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("CLOACINA_VAR_DB_PASSWORD", VALUE)
    events = []
    with DefaultRunner(str(tmp_path / "h.duckdb")) as runner:
        context = Context({"api_key": VALUE, "year": 2013})
        result = runner.execute(
            flow(body, executor=executor), context, observers=[lambda one: events.append(repr(one))]
        )
        frames = [runner.history().sql(f"FROM {name}") for name in ("events", "logs", "artifacts", "attempts", "tasks")]
    shown = capfd.readouterr()
    told = [*events, repr(result), result._repr_html_(), repr(result.final_context), str(result.error_message)]
    told += [frame.to_string() for frame in (*frames, result.tasks)] + [shown.out, shown.err]
    for text in told:
        assert VALUE not in text
    assert VALUE.encode() not in all_bytes(tmp_path)
    assert result.final_context["api_key"] == VALUE
    assert current_handle.get() is None


def test_what_is_no_secret_comes_back_equal(tmp_path):
    with DefaultRunner(str(tmp_path / "h.duckdb")) as runner:
        runner.execute(flow(prints), {"api_key": VALUE, "year": 2013, "places": ("JFK", {"n_tokens": 3})})
        assert runner.history().initial(secrets={"api_key": 1}) == {
            "api_key": 1,
            "year": 2013,
            "places": ("JFK", {"n_tokens": 3}),
        }


def test_a_runs_values_are_shown_by_its_own_keys():
    with DefaultRunner(":memory:") as runner:
        result = runner.execute(flow(sets_a_holder, secret=["station"]), {"api_key": VALUE, "station": "K"})
    assert dict(result.final_context.shown()).keys() == dict(result.final_context).keys()
    assert repr(result.final_context) == (
        f"Context({{'api_key': {MASK}, 'station': {MASK}, 'address': {MASK}, 'headers': {MASK}}})"
    )


PATTERNS = [(None, ["station"], False), ("^station$", [], True), ("", ["station"], True)]


@pytest.mark.parametrize(("pattern", "named", "usual"), PATTERNS)
def test_which_keys_are_secret_is_set(pattern, named, usual):
    config = DefaultRunnerConfig(secret_keys=pattern)
    with DefaultRunner(":memory:", config=config) as runner:
        runner.execute(flow(sets, secret=named), {"station": "KJFKX", "password": "plain"})
        kept = runner.history().sql("FROM artifacts WHERE role = 'initial'").set_index("key")["preview"]
    assert kept["station"] == MASK
    assert (kept["password"] == MASK) is usual


# -- going on with a run


def uses(context):
    context["n"] = len(context["api_key"])


def logs_in(context):
    context["session_token"] = context["name"]


def fetches(context):
    context["rows"] = [context["session_token"][:1]]


def why(result):
    return dict(zip(result.tasks["task_id"], result.tasks["reason"], strict=True))


def test_what_reads_the_same_secret_is_taken_and_what_reads_another_is_not():
    with DefaultRunner(":memory:") as runner:
        runner.execute(flow(uses), {"api_key": VALUE})
        same = runner.execute(flow(uses), {"api_key": VALUE}, cached=True)
        other = runner.execute(flow(uses), {"api_key": VALUE[::-1]}, cached=True)
    assert why(same)["uses"].startswith("unchanged since")
    assert why(other)["uses"] == "executed, as 'api_key' has another value now"


def test_what_has_set_a_secret_is_executed_again():
    with DefaultRunner(":memory:") as runner:
        runner.execute(flow(logs_in, fetches), {"name": VALUE})
        again = runner.resume(workflow=flow(logs_in, fetches))
    assert "history keeps none" in why(again)["logs_in"]
    assert why(again)["fetches"].startswith("unchanged since")


READS = Keys(reads=("api_key",))


def test_a_secret_of_the_initial_context_is_to_be_given_again(monkeypatch):
    with DefaultRunner(":memory:") as runner:
        runner.execute(flow(uses, keys=READS), {"api_key": VALUE})
        with pytest.raises(HistoryError, match=r"--param api_key=…, context={'api_key': …}.*CLOACINA_VAR_api_key"):
            runner.resume(workflow=flow(uses, keys=READS))
        given = runner.resume(workflow=flow(uses, keys=READS), context={"api_key": VALUE})
        default = runner.resume(workflow=flow(uses, keys=READS, parameters={"api_key": VALUE}))
        monkeypatch.setenv("CLOACINA_VAR_api_key", VALUE)
        outside = runner.resume(workflow=flow(uses, keys=READS))
        only = runner.start_some(flow(uses, keys=READS), "uses", following=False).wait()
    for result in (given, default, outside):
        assert why(result)["uses"].startswith("unchanged since")
    assert only.final_context["n"] == len(VALUE)


def test_a_secret_that_was_given_in_the_place_of_a_default_is_to_be_given_again(monkeypatch):
    workflow = flow(uses, keys=READS, parameters={"api_key": "", "name": "x"})
    with DefaultRunner(":memory:") as runner:
        runner.execute(workflow, {"api_key": VALUE})
        for resume in (runner.resume, lambda **_: runner.start_some(workflow, "uses", following=False)):
            with pytest.raises(HistoryError, match=r"Run \w{8} began with the secret 'api_key'.*Give it again"):
                resume(workflow=workflow)
        again = runner.resume(workflow=workflow, context={"api_key": VALUE})
        edited = runner.resume(workflow=flow(uses, keys=READS, parameters={"api_key": "k3y-0f-n0w", "name": "x"}))
        runner.execute(workflow, {"api_key": VALUE})
        monkeypatch.setenv("CLOACINA_VAR_api_key", VALUE)
        outside = runner.resume(workflow=workflow)
    assert why(again)["uses"].startswith("unchanged since")
    assert why(edited)["uses"] == "executed, as 'api_key' has another value now"
    assert why(outside)["uses"].startswith("unchanged since")


def test_all_secrets_that_are_to_be_given_again_are_named_at_once():
    keys = Keys(reads=("api_key", "session_token"))
    with DefaultRunner(":memory:") as runner:
        runner.execute(flow(uses, keys=keys), {"api_key": VALUE, "session_token": VALUE[::-1]})
        with pytest.raises(HistoryError) as caught:
            runner.resume(workflow=flow(uses, keys=keys))
    assert "the secrets 'api_key' and 'session_token', and history keeps none. Give them again" in str(caught.value)
    assert "--param api_key=… --param session_token=…, context={'api_key': …, 'session_token': …}" in str(caught.value)


def only_says(context):
    context["said"] = True


def test_a_secret_that_no_task_reads_any_more_need_not_be_given_again():
    with DefaultRunner(":memory:") as runner:
        runner.execute(flow(only_says, parameters={"api_key": ""}), {"api_key": VALUE})
        result = runner.resume(workflow=flow(only_says, parameters={"api_key": ""}))
    assert why(result)["only_says"].startswith("unchanged since")


def test_a_run_that_has_no_use_for_a_secret_does_not_make_the_next_one_forget_it():
    reader = Task("uses", uses, keys=READS)
    workflow = Workflow("flow", [Task("only_says", only_says, keys=Keys()), reader], parameters={"api_key": ""})
    with DefaultRunner(":memory:") as runner:
        runner.execute(workflow, {"api_key": VALUE})
        only = runner.start_some(workflow, "only_says", following=False).wait()
        assert only.status == "Completed"
        with pytest.raises(HistoryError, match=r"began with the secret 'api_key'.*Give it again"):
            runner.resume(workflow=workflow)
        again = runner.resume(workflow=workflow, context={"api_key": VALUE})
    assert why(again)["uses"].startswith("unchanged since")


def test_what_follows_from_a_secret_needs_it_again():
    builder = WorkflowBuilder("headers").parameters(api_key="")
    builder.derived_parameters(headers=lambda api_key: {"key": api_key})
    with builder:

        @cloaca.task()
        def ask(context):
            context["asked"] = len(context["headers"]["key"])

    with DefaultRunner(":memory:") as runner:
        assert runner.execute("headers", {"api_key": VALUE}).final_context["asked"] == len(VALUE)
        with pytest.raises(HistoryError, match=r"began with the secret 'api_key'"):
            runner.resume(workflow="headers")


RESUMED = """
import sys
import cloaca_nb as cloaca
with cloaca.WorkflowBuilder("w") as builder:
    builder.secret("station")
    @cloaca.task()
    def look(context):
        context["n"] = len(context["station"])
with cloaca.DefaultRunner(sys.argv[1]) as runner:
    try:
        result = runner.resume() if len(sys.argv) == 2 else runner.execute("w", {"station": sys.argv[2]})
        print(result.tasks["reason"][0])
    except RuntimeError as error:
        print(error)
"""


def test_in_another_process_the_secret_is_missed_by_name(tmp_path):
    (tmp_path / "w.py").write_text(RESUMED)

    def python(*arguments, **variables):
        line = [sys.executable, "w.py", str(tmp_path / "h.duckdb"), *arguments]
        done = subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)  # noqa: S603 - ours
        return done.stdout

    python(VALUE)
    assert "began with the secret 'station', and history keeps none" in python()
    assert "unchanged since run" in python(CLOACINA_VAR_station=VALUE)
    assert "'station' has another value now" in python(CLOACINA_VAR_station="KJFK")
    assert VALUE.encode() not in all_bytes(tmp_path)


def test_a_secret_that_is_needed_and_not_there_is_asked_for(registry, monkeypatch):
    with WorkflowBuilder("w") as builder:
        builder.secret("station", "unused")
        registry.active.get().define(Task("look", uses, (), keys=Keys(reads=("station",)), where="Cell In[1]"))
    with DefaultRunner(":memory:", registry=registry) as runner:
        asked = r"Task 'look' \(Cell In\[1\]\) needs the secret 'station'.*--param station=.*CLOACINA_VAR_station"
        with pytest.raises(DefinitionError, match=asked):
            runner.execute("w", {"api_key": "x"})
        monkeypatch.setenv("CLOACINA_VAR_station", "KJFK")
        result = runner.execute("w", {"api_key": "x"})
    assert dict(result.final_context) == {"station": "KJFK", "api_key": "x", "n": 1}


@pytest.mark.parametrize("key", [5, "", None])
def test_a_secret_is_named_by_its_key(key):
    with pytest.raises(TypeError, match=r"A secret is named by its key"):
        WorkflowBuilder("w").secret(key)


def test_a_failure_callback_is_told_no_secret():
    told = []
    task = Task("raises", raises, (), keys=Keys(), on_failure=lambda _id, error, _context: told.append(error))
    with DefaultRunner(":memory:") as runner:
        runner.execute(Workflow("flow", [task]), {"api_key": VALUE})
    assert told == [f"https://user:{MASK}@host refused"]


OF_CODE = """
import sys
import cloaca_nb as cloaca
import secret_settings
PASSWORD = {secret!r}

def connect():
    return PASSWORD, secret_settings.TOKEN

@cloaca.task()
def look(context):
    context["n"] = len(connect())

workflow = cloaca.WorkflowBuilder("w").add_task("look").build()
with cloaca.DefaultRunner("h.duckdb") as runner:
    print(runner.execute(workflow, cached=True).tasks["reason"][0].partition(" run ")[0])
    digests = runner.history().sql("SELECT name, digest FROM code_parts ORDER BY ALL")
    print(sorted({{name for name, digest in digests.values if digest.startswith("secret:")}}))
"""


def test_a_secret_that_code_holds_cannot_be_guessed_by_its_digest(tmp_path):
    (tmp_path / "secret_settings.py").write_text(f"TOKEN = {VALUE!r}")

    def run(secret):
        (tmp_path / "w.py").write_text(OF_CODE.format(secret=secret))
        done = subprocess.run([sys.executable, "w.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
        reason, hidden = done.stdout.splitlines()
        assert hidden == "['constant PASSWORD', 'constant secret_settings.TOKEN', 'module secret_settings']"
        return reason

    assert [run(VALUE), run(VALUE)] == ["executed, as no earlier", "unchanged since"]
    assert run("another") == "executed, as constant PASSWORD was changed"
    assert run(VALUE) == "unchanged since"
    told = {describe(VALUE).digest, digest_text("str " + describe(VALUE).digest)}  # what anybody can make of a guess
    with DefaultRunner(str(tmp_path / "h.duckdb")) as runner:
        kept = runner.history().sql("SELECT digest FROM code_parts UNION ALL SELECT code FROM tasks")
    assert told.isdisjoint(kept["digest"])
    assert not [one for one in told if one.encode() in all_bytes(tmp_path)]
    (tmp_path / "h.duckdb-secret-key").unlink()
    assert "constant PASSWORD was changed" in run(VALUE)
