"""What is said of a run with its secrets hidden."""

from cloaca_nb.core import events
from cloaca_nb.core.mask import Mask
from cloaca_nb.core.masking import masked_event
from cloaca_nb.core.secret import MASK, SecretKeys


def test_every_fact_of_a_run_is_masked():
    mask = Mask(SecretKeys())
    mask.meet({"password": "hunter22"})
    failure = events.Failure("ValueError", "bad hunter22", "hunter22.py", "…hunter22…")
    facts = [
        events.RunStarted(0.0, "r", None, "run", {"password": "hunter22"}),
        events.ProgressMade(0.0, "r", "t", 1, 1, 2, "at hunter22"),
        events.AttemptFailed(0.0, "r", "t", 1, failure, None),
        events.TaskFinished(
            0.0, "r", "t", 1, "Failed", {"a": "hunter22"}, failure, "hunter22", {"password": "hunter22"}
        ),
        events.RunFinished(0.0, "r", "Failed", {"password": "hunter22"}, "hunter22"),
    ]
    for fact in facts:
        assert "hunter22" in repr(fact)
        hidden = masked_event(fact, mask)
        assert type(hidden) is type(fact)
        assert "hunter22" not in repr(hidden)
        assert MASK in repr(hidden)
