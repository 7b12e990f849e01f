"""The live panel of one run: one widget, and one thread that folds the run's events and publishes what they add up to.

Whoever says an event only queues it. The publisher thread folds the events and writes the widget: at most ten messages
a second, whatever the run does and the page looks at, and always a last one. Traits go from the kernel to the page
only; the page sends wishes: to cancel, to look at a task, to start a new run. As soon as the page says that it can, and
at the end in any case, a static picture and table take the widget's place in the notebook; the page shows the live
panel over it. So what is saved needs no kernel, and the panel answers for as long as there is one.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from IPython.display import display, update_display

from cloaca_nb.errors import CloacaError
from cloaca_nb.notebook.panel.run_facts import RunFacts
from cloaca_nb.notebook.panel.widget import PanelWidget
from cloaca_nb.notebook.panel.wish import Wish

if TYPE_CHECKING:
    from cloaca_nb.core.events import Event
    from cloaca_nb.core.graph import Workflow

__all__ = ["Panel"]

# Seconds after which a page that was left may have been loaded again. It asks for its widgets, but while a cell blocks
# the kernel it gets no answer; what it is told, it takes in.
_ANNOUNCED_AFTER: Final = (2, 4, 8, 16, 32)
# Seconds between two updates: the more tasks change at once, the more the page has to do, and shares a processor with
# the run perhaps.
_OFTEN, _SELDOM = 0.1, 0.25
_SOON: Final = 0.5  # seconds after which a run is worth asking how long its tasks usually take
_QUIET: Final = 10  # intervals after a run in which another may begin, which the answer must not slow down
logger = logging.getLogger(__name__)


class Panel:
    """Shows a run while it goes on, and answers about it afterwards: an observer of its events.

    Args:
        workflow: what is run.
        on_cancel: called when the user clicks Cancel, from a thread of the kernel's; None: no such button.
        on_again: starts another run when the user clicks Resume or Re-run; None: no such buttons.
        usual: returns how many seconds tasks usually take, by id; called by a thread of the panel's, while the run goes
            on with `up_to_date=False`: the answer must cost next to nothing then. None: not known.
        tells_failure: whether the task that a failed run blames is opened at the end, as no cell says why.
        after: the key of the panel that the run was started from.
        line: returns the line on the run that stands below the panel, given how many lines of output the page has
            missed; for a page that was loaded again, and can't be told by changing what is displayed. None: no line.
        session: what the kernel signs its messages with: another in its place has one of its own.
        clock: seconds since the epoch.
        interval: seconds between two updates; by default a tenth, and a quarter for a run of many tasks.

    Attributes:
        key: by which the page knows it.
    """

    def __init__(  # noqa: PLR0913 - what a panel is told, all by keyword
        self,
        workflow: "Workflow",
        *,
        on_cancel: Callable[[], None] | None = None,
        on_again: Callable[[Wish], None] | None = None,
        usual: Callable[..., Mapping[str, float]] | None = None,
        tells_failure: bool = False,
        after: str = "",
        line: Callable[[int], Mapping[str, str]] | None = None,
        session: str = "",
        clock: Callable[[], float] = time.time,
        interval: float | None = None,
    ) -> None:
        self.key = uuid4().hex
        self._on_cancel, self._on_again = on_cancel, on_again
        self._usual, self._has_asked = usual, False
        self._known_usual: dict[str, float] = {}  # what the page isn't told yet of how long tasks usually take
        self._tells_failure, self._after, self._line = tells_failure, after, line
        self._session, self._clock = session, clock
        self._facts = RunFacts(workflow)
        self._interval = interval or (_SELDOM if self._facts.has_many else _OFTEN)
        self._events: deque[Event] = deque()
        self._cancelling = False
        self._next: Mapping[str, Any] | None = None  # the run that a click here has started
        self._told: tuple[object, ...] = (self._cancelling, self._next)
        self._has_place = self._is_still = False  # whether the page can stand in for the widget; whether it does
        self._announcements: deque[float] = deque()  # when the widget is introduced to pages that may not know it
        self._over, self._told_last, self._left = threading.Event(), threading.Event(), threading.Event()
        self._lock = threading.RLock()  # of all that is told: the publisher's, and its who asks after the end
        self._widget: PanelWidget | None = None
        self._shown: _Shown | None = None

    def __call__(self, event: "Event") -> None:
        """Queue an event: cheap, from any thread."""
        self._events.append(event)

    def prepare(self) -> PanelWidget:
        """Make the widget, which takes some milliseconds: `show` takes next to none then."""
        widget = self._widget = PanelWidget(self._whole, graph=self._graph())
        widget.on_msg(self._receive)
        return widget

    def show(self) -> None:
        """Display the widget in the cell that runs now, and keep it up to date."""
        widget = self._widget or self.prepare()
        display(widget, display_id=self.key)  # type: ignore[no-untyped-call]  # IPython's
        self._shown = _Shown(widget, self._publish)
        self._shown.publisher.start()

    def settle(self) -> None:
        """Publish the last state and leave the static picture; the panel goes on answering. May be repeated."""
        if self._shown is None or self._over.is_set():
            return
        self._over.set()
        self._told_last.wait()
        self._shown.run(self._put_picture)

    def close(self) -> None:
        """Settle, and answer no more: what is left is the static picture. May be repeated."""
        self.settle()
        self._left.set()
        shown, self._shown = self._shown, None
        if shown is not None:
            shown.publisher.join()
        if self._widget is not None:
            self._widget.close()

    def _put_picture(self) -> None:
        """Replace the display: a saved output with a widget in it would say "model not found" when it is reopened.

        While the run goes on, a few words hold the place: a picture would cost it time, and be out of date at once.
        """
        with self._lock:
            self._is_still = True
            still = self._still()
        update_display(still, raw=True, display_id=self.key)  # type: ignore[no-untyped-call]  # IPython's

    # --- what the page wishes, on one of the kernel's threads ---

    def _receive(self, widget: PanelWidget, content: Mapping[str, Any], _: Any) -> None:
        match content:
            case {"type": "cancel"} if self._on_cancel:
                self._cancelling = True
                self._on_cancel()
            case {"type": "choose", "task": int() | None as number}:
                self._choose(number)
            case {"type": "place"}:
                self._has_place = True
            case {"type": "picture"}:  # of a page that was loaded again: no update of a display reaches it
                with self._lock:
                    line = self._line(self._facts.unseen) if self._line else None
                    widget.send({"type": "picture", "data": self._still(), "line": line})
            case {"type": "leave"}:
                self._announcements = deque(self._clock() + seconds for seconds in _ANNOUNCED_AFTER)
            case {"type": "again", "task": int() | None as number} if self._on_again and self._shown:
                self._on_again(self._wish(number, widget, self._shown))

    def _wish(self, number: int | None, widget: PanelWidget, shown: "_Shown") -> Wish:
        facts = self._facts
        task_id = None if number is None else facts.task_id(number)
        answer = partial(_answer, widget)
        granted = partial(self._follow, number)
        return Wish(self.key, facts.workflow.name, facts.record.run_id, task_id, answer, granted, shown.run)

    def _follow(self, number: int | None, run_id: str) -> None:
        with self._lock:
            self._next = {"run": run_id, "task": number}
            self._tell_after_end()

    def _choose(self, number: int | None) -> None:
        with self._lock:
            self._facts.choose(number)
            self._tell_after_end()

    def _tell_after_end(self) -> None:
        if self._told_last.is_set():  # no publisher any more
            self._update()

    # --- the publisher thread ---

    def _publish(self) -> None:
        try:
            while not self._over.wait(self._interval):
                self._update()
                self._attend()
            self._update()
        finally:
            self._told_last.set()  # whatever happens here, the cell must come to its end
        self._update()  # what was wished for in between
        if not self._left.wait(_QUIET * self._interval):
            self._ask_usual(up_to_date=True)
            self._update()

    def _attend(self) -> None:
        """Do what is due now and then while the run goes on."""
        now = self._clock()
        if self._has_place and not self._is_still:
            self._put_picture()
        if self._announcements and self._announcements[0] < now:
            self._announcements.popleft()
            self._announce()
        if not self._has_asked and self._facts.record.elapsed(now) > _SOON:
            self._has_asked = True
            self._ask_usual(up_to_date=False)

    def _announce(self) -> None:
        if self._shown is not None:
            self._shown.widget.announce()

    def _ask_usual(self, *, up_to_date: bool) -> None:
        if self._usual is None:
            return
        try:
            known = self._usual(self._facts.record.run_id, up_to_date=up_to_date)
        except CloacaError:  # the run itself says aloud what is wrong with its history; this is a comfort
            logger.debug("How long tasks usually take isn't known.", exc_info=True)
            return
        with self._lock:
            self._known_usual = self._facts.usual(known)

    def _update(self) -> None:
        """Send what is new since the last time, if anything is, in one message."""
        with self._lock:
            if self._shown is None:
                return
            changed = self._facts.fold([self._events.popleft() for _ in range(len(self._events))])
            if self._tells_failure and "" in changed:
                self._facts.choose_blamed()
            self._shown.widget.tell(self._news(changed))

    # --- what the page is told ---

    def _whole(self) -> dict[str, Any]:
        """Return what a page has to know that knows nothing yet.

        One that asks while the run is on display was loaded again, or is another: what tasks print from here on can't
        reach the cell there, as only the page that has executed it knows where that belongs.
        """
        with self._lock:
            is_late = self._shown is not None
            if is_late:
                self._facts.count_unseen()
            return {"state": self._state(None) | {"late": is_late}, "chosen": self._facts.about_chosen()}

    def _news(self, changed: set[str]) -> dict[str, Any]:
        """Return what the page doesn't know yet, given the tasks that something has happened to."""
        news: dict[str, Any] = {}
        own = (self._cancelling, self._next)
        if changed or self._told != own:
            self._told = own
            news["state"] = self._state(changed)
        if (chosen := self._facts.news_of_chosen(changed)) is not None:
            news["chosen"] = chosen
        if self._known_usual:
            news["usual"], self._known_usual = self._known_usual, {}
        return news

    def _state(self, changed: set[str] | None) -> dict[str, Any]:
        return self._facts.state(self._clock(), changed) | {"cancelling": self._cancelling, "next": self._next}

    def _still(self) -> dict[str, str]:
        return self._facts.still(self._clock(), self.key)

    def _graph(self) -> dict[str, Any]:
        """Return what the page needs once."""
        may = {"cancel": self._on_cancel is not None, "again": self._on_again is not None}
        return {"key": self.key, "after": self._after, "session": self._session, **may, **self._facts.graph()}


def _answer(widget: PanelWidget, why: str) -> None:
    widget.send({"type": "answer", "why": why})


class _Shown:
    """A widget on display, and the context of its cell: what is published from there lands there."""

    def __init__(self, widget: PanelWidget, publish: Callable[[], None]) -> None:
        self.widget = widget
        self.publisher = threading.Thread(target=self.run, args=(publish,), name="cloaca-panel", daemon=True)
        self._context = copy_context()

    def run(self, work: Callable[[], None]) -> None:
        self._context.copy().run(work)
