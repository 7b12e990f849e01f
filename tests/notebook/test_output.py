"""What tasks print in a real kernel, while cells capture, front ends ask and figures are drawn."""

import re

import pytest

SAY = """\
%%cloaca_task say
while not gate: time.sleep(0.01)
print('one')
while len(gate) < 2: time.sleep(0.01)
print('two')
x = 1"""
MINE = """\
gate.append(1)
own = io.StringIO()
with contextlib.redirect_stdout(own):
    print('mine')
    gate.append(2)
    run.wait()
print([own.getvalue(), taken.stdout])"""
LOUD = """\
with cloaca.WorkflowBuilder("loud"):
    for number in range(8):
        @cloaca.task(id=f"t{number}", dependencies=[])
        def loud(context, number=number):
            for line in range(1000):
                print(f"t{number} line {line}")"""
KEPT = """\
frame = %cloaca_logs
whole = {task: [f"{task} line {n}" for n in range(1000)] for task in frame["task_id"].unique()}
kept = {task: "".join(one["text"]).splitlines() for task, one in frame.groupby("task_id")}
print(len(whole), kept == whole)"""
FIGURES = """\
with cloaca.WorkflowBuilder("figures"):
    for number in range(4):
        @cloaca.task(id=f"draw{number}", dependencies=[])
        def draw(context, number=number):
            import matplotlib.pyplot as plt
            plt.figure()
            for _ in range(20):
                plt.plot([1, number])
                time.sleep(0.001)
            context[f"lines{number}"] = len(plt.gca().lines)"""


@pytest.fixture
def person(kernel, kernel_home, monkeypatch):
    monkeypatch.setenv("MPLCONFIGDIR", str(kernel_home / "matplotlib"))
    kernel.by_person = True
    kernel("%load_ext cloaca_nb\nimport contextlib, io, time\nimport cloaca_nb as cloaca\ngate = []")
    return kernel


def test_no_line_is_lost_to_a_cell_that_captures_or_redirects(person) -> None:
    person(SAY)
    begun = person.send("%%capture taken\n%cloaca_run --background -o run\nprint('in the cell')")
    assert person.said(person.messages(begun)) == ""
    mine = person.send(MINE)
    printed: dict[str, str] = {}
    while mine not in printed:
        message = person.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream":
            sent = message["parent_header"]["msg_id"]
            printed[sent] = printed.get(sent, "") + message["content"]["text"]
    assert printed == {begun: "one\ntwo\n", mine: "['mine\\n', 'in the cell\\n']\n"}
    assert "one\ntwo" in person("%cloaca_logs say")


def test_a_thousand_lines_of_each_of_eight_tasks_while_a_front_end_asks(person) -> None:
    person(LOUD)
    sent = person.send("%cloaca_run loud --no-panel")
    for _ in range(20):
        person.client.complete("%cloaca_ru", 10)
        asked = person.client.session.msg("comm_info_request", {"target_name": "any"})
        person.client.shell_channel.send(asked)
    lines = person.said(person.messages(sent)).split("WorkflowResult")[0].splitlines()
    shown: dict[str, list[str]] = {}
    for line in filter(None, lines):
        shown.setdefault(line.split()[0], []).append(line)
    assert shown == {f"t{n}": [f"t{n} line {line}" for line in range(1000)] for n in range(8)}
    assert "8 True" in person(KEPT)


def test_budgets_hold_for_each_task_and_for_the_run(person) -> None:
    person(LOUD)
    person("%config Cloaca.echo_per_task = 1000\n%config Cloaca.echo_per_run = 3500")
    said = person("%cloaca_run loud --no-panel")
    assert len(re.findall(r"^t\\d line \\d+$", said, re.MULTILINE)) < 350
    assert len(re.findall(r"^Task '\w+' printed .* not shown here.*%cloaca_logs \w+ --run ", said, re.MULTILINE)) == 3
    assert said.count("5 other tasks printed") == 1
    assert "8 True" in person(KEPT)


def test_figures_of_tasks_that_draw_at_once(person) -> None:
    person(FIGURES)
    person("import matplotlib.pyplot as mine\n_ = mine.figure(7)\nmine.close()")
    said = person("result = %cloaca_run figures --no-panel\nprint(mine.get_fignums())")
    assert said.count("<Figure size") == 4
    assert "[]" in said
    assert "{20}" in person("print({result.final_context[f'lines{n}'] for n in range(4)})")
    assert person("%cloaca_logs draw1") == "<Figure size 640x480 with 1 Axes>"
