"""Breakpoints as JupyterLab's debugger sets them, by the text of a task cell, in a real kernel."""

from typing import Any

import pytest

CELL = "%%cloaca_task load\nx = 1\nprint(x)\ny = x + 1"


class Debugger:
    """What JupyterLab's debugger says to a kernel, and hears from it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.said = 0

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Make a request and return the body of the answer."""
        self.said += 1
        content = {"type": "request", "seq": self.said, "command": command, "arguments": arguments}
        request = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(request)
        while True:
            answer = self.client.get_control_msg(timeout=60)
            if answer["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                assert answer["content"]["success"], answer["content"]
                return answer["content"].get("body", {})

    def stopped(self) -> dict[str, Any]:
        """Wait until a breakpoint is hit; return the frame."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == "stopped":
                thread = message["content"]["body"]["threadId"]
                frame = self.ask("stackTrace", threadId=thread)["stackFrames"][0]
                return {**frame, "thread": thread}


@pytest.fixture
def debugger(kernel):
    """Return a debugger with a breakpoint at a line of a task cell that was executed before."""
    kernel.by_person = True
    kernel("%load_ext cloaca_nb")
    kernel(CELL)
    debugger = Debugger(kernel.client)
    debugger.ask("initialize", clientID="tests", adapterID="", linesStartAt1=True, pathFormat="path")
    debugger.ask("attach")
    path = debugger.ask("dumpCell", code=CELL)["sourcePath"]
    debugger.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}], sourceModified=False)
    debugger.ask("configurationDone")
    return debugger


@pytest.mark.parametrize("line", ["%cloaca_run --no-panel", "%cloaca_run --no-panel --debug"])
def test_a_breakpoint_in_a_task_cell_is_hit(kernel, debugger, line) -> None:
    kernel.send(line)
    frame = debugger.stopped()
    assert (frame["name"], frame["line"]) == ("load", 3)
    debugger.ask("continue", threadId=frame["thread"])
    assert "{'x': 1, 'y': 2}" in kernel("print(dict(_.final_context))")
