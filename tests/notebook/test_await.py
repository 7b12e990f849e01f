"""A run that is awaited in a cell of a real kernel, and somebody who interrupts it."""

import queue
import time

SLOW = """
import threading
import cloaca_nb as cloaca
runner = cloaca.DefaultRunner()
with cloaca.WorkflowBuilder("slow"):
    @cloaca.task()
    def slow(context):
        print("begun", flush=True)
        threading.Event().wait(60)
"""


def test_an_interrupt_cancels_a_run_that_is_awaited(kernel) -> None:
    kernel(SLOW)
    messages = kernel.messages(kernel.send("result = await runner.execute_async('slow')"))
    for kind, content in messages:
        if kind == "stream" and "begun" in content["text"]:
            break
    else:
        raise queue.Empty("the task never began")
    began = time.monotonic()
    kernel.manager.interrupt_kernel()
    text = kernel.said(messages)
    assert time.monotonic() - began < 10
    assert "KeyboardInterrupt" in text or "CancelledError" in text
    run = kernel("run = runner.history().runs().iloc[0]\nprint(run['status'], 'result' in globals())")
    assert "Cancelled False" in run
