"""What tasks print in a real kernel, while cells capture, a person completes and clicks, and figures are drawn."""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

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
# The same, a tenth of it at a time: each as soon as there is a file with its number.
GATED = f"""\
import os
{LOUD}
                if line % 100 == 99:
                    while not os.path.exists(f"gate{{line // 100}}"):
                        time.sleep(0.01)"""
KEPT = """\
frame = %cloaca_logs
whole = {task: [f"{task} line {n}" for n in range(1000)] for task in frame["task_id"].unique()}
kept = {task: "".join(one["text"]).splitlines() for task, one in frame.groupby("task_id")}
print(len(whole), kept == whole)"""
WHOLE = {f"t{task}": [f"t{task} line {line}" for line in range(1000)] for task in range(8)}
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


class FrontEnd:
    """Does what a page does while a run goes on, and keeps what it hears.

    Args:
        kernel: what it talks to.
        header: said with each message, as of a page that has a subshell of its own.
    """

    def __init__(self, kernel: Any, **header: str) -> None:
        self.kernel = kernel
        self.header = header
        self.heard: list[dict[str, Any]] = []

    def ask(self, kind: str, content: dict[str, Any]) -> str:
        message = self.kernel.client.session.msg(kind, content)
        message["header"].update(self.header)
        self.kernel.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def hear(self, is_awaited: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Listen until the message that is awaited, and return it."""
        while True:
            self.heard.append(self.kernel.client.get_iopub_msg(timeout=60))
            if is_awaited(self.heard[-1]):
                return self.heard[-1]

    def complete(self, text: str) -> list[str]:
        asked = self.ask("complete_request", {"code": text, "cursor_pos": len(text)})
        while True:
            reply = self.kernel.client.get_shell_msg(timeout=60)
            if reply["parent_header"]["msg_id"] == asked:
                return reply["content"]["matches"]

    def click(self, panel: str, task: int) -> dict[str, Any]:
        """Choose a task, and return what the panel then tells of it."""
        wish = {"method": "custom", "content": {"type": "choose", "task": task}}
        self.ask("comm_msg", {"comm_id": panel, "data": wish})
        answer = self.hear(lambda message: told(message).get("chosen", {}).get("task") == task)
        return told(answer)["chosen"]

    def printed(self) -> dict[str, str]:
        """Return what was printed, by the message that it belongs to."""
        texts: dict[str, str] = defaultdict(str)
        for message in self.heard:
            if message["msg_type"] == "stream":
                texts[message["parent_header"]["msg_id"]] += message["content"]["text"]
        return dict(texts)


def told(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a message of a widget's says of its state."""
    return message["content"].get("data", {}).get("state", {}) if message["msg_type"].startswith("comm_") else {}


def lines_by_task(text: str) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for line, task in re.findall(r"^((t\d) line \d+)$", text, re.MULTILINE):
        lines[task].append(line)
    return dict(lines)


@pytest.mark.parametrize("in_background", [True, False])
def test_a_thousand_lines_of_each_of_eight_tasks_while_a_person_completes_and_clicks(
    person, kernel_home, in_background
) -> None:
    person(GATED)
    sent = person.send("%cloaca_run loud --background" if in_background else "%cloaca_run loud")
    page = FrontEnd(person, **({} if in_background else {"subshell_id": person.subshell()}))
    panel = page.hear(lambda message: "graph" in told(message))["content"]["comm_id"]
    for gate in range(10):  # until the last is open the run can't be over
        assert page.complete("%cloaca_ru") == ["%cloaca_run"]
        chosen = page.click(panel, gate % 8)
        assert lines_by_task("\n".join(text for *_, text in chosen["lines"])).keys() <= {f"t{gate % 8}"}
        (kernel_home / f"gate{gate}").touch()
        assert page.complete("%%cloaca_ta") == ["%%cloaca_task"]
    page.hear(lambda message: message["msg_type"] == "update_display_data")  # the picture takes the panel's place
    assert page.printed().keys() == {sent}
    assert lines_by_task(page.printed()[sent]) == WHOLE
    assert "8 True" in person(KEPT)


def test_budgets_hold_for_each_task_and_for_the_run(person) -> None:
    person(LOUD)
    person("%config Cloaca.echo_per_task = 1000\n%config Cloaca.echo_per_run = 3500")
    said = person("%cloaca_run loud --no-panel")
    shown = lines_by_task(said)
    assert shown == {task: WHOLE[task][: len(lines)] for task, lines in shown.items()}
    characters = [sum(len(line) + 1 for line in lines) for lines in shown.values()]
    assert max(characters) <= 1000
    assert 3500 - len("t0 line 99\n") <= sum(characters) <= 3500
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
    assert person("%cloaca_logs draw1").endswith("\n<Figure size 640x480 with 1 Axes>")
