"""How a failed run says that one can go on with it."""

from pathlib import Path

import pytest

from cloaca_nb.cli.going_on import advice, command

CASES = [
    (("flow.py", None, None, []), [], [], "cloaca-nb run flow.py --resume"),
    (("my flow.ipynb", None, None, []), [], [], "cloaca-nb run 'my flow.ipynb' --resume"),
    (
        ("flow.py", "late", "h.duckdb", []),
        ["year"],
        [],
        "cloaca-nb run flow.py --workflow late --history h.duckdb --resume",
    ),
    (("flow.py", None, None, ["HOST=db"]), [], [], "cloaca-nb run flow.py --var HOST=… --resume"),
    (("flow.py", None, None, []), ["year", "pin", "api_token"], ["pin"], None),
]


@pytest.mark.parametrize(("ran", "given", "secret", "again"), CASES)
def test_the_command_is_the_one_that_ran_it_without_secrets(ran, given, secret, again) -> None:
    again = again or "cloaca-nb run flow.py --param pin=… --param api_token=… --resume"
    path, *options = ran
    said = advice(command(Path(path), *options), given, secret)
    assert said == f"When it is mended, {again} goes on from here."


def test_a_failed_run_says_how_to_go_on_and_a_completed_one_does_not(invoke) -> None:
    assert "When it is mended, cloaca-nb run broken.py --resume goes on from here.\n" in invoke("run", "broken.py")[2]
    assert "mended" not in invoke("run", "flights.py")[2]
    assert "mended" not in invoke("run", "broken.py", "--history", ":memory:")[2]
    assert invoke("run", "broken.py", "--resume")[0] == 1
