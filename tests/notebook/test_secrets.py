"""Secrets in a notebook: named at the parameters, and hidden wherever cells show values."""

import pytest

SECRET = "s3cr3t-v4lu3"  # noqa: S105 - what is looked for
SHOWN = {
    "the parameters": f"%%cloaca_params --secret station\nstation = '{SECRET}'\napi_token = '{SECRET}'\nyear = 2013",
    "a task": "%%cloaca_task look\nprint(station)\naddress = f'https://{api_token}@host'\nn = len(station) + year",
    "a display": "%%cloaca_task show\ndisplay({'seen': station})\nseen = n",
    "a run": "%cloaca_run",
    "its result": "result = %cloaca_run --cached\nresult",
    "a context": "result.final_context",
    "a diff": "%cloaca_diff",
    "the history": "%cloaca_history",
    "the logs": "%cloaca_logs",
    "the values": "%cloaca_sql FROM artifacts",
    "a try": "%%cloaca_task look --try\nprint(station)\naddress = f'https://{api_token}@host'\nn = len(station) + year",
    "a failure": "%%cloaca_task look\npassword = station[::-1]\nraise ValueError(f'{password} {password[::-1]}')",
    "its run": "%cloaca_run",
    "a wrong parameter": f"%cloaca_run --param api_token=1 --param api_token={SECRET}",
}


def test_no_cell_shows_a_secret(cell):
    for name, text in SHOWN.items():
        ran = cell(text)
        told = [ran.out, ran.err, *ran.shown, *ran.html, str(ran.error)]
        assert not [one for one in told if SECRET in one or SECRET[::-1] in one], name
        assert (ran.error is not None) == (name in {"its run", "a wrong parameter"}), (name, ran.error)
    assert cell.names["result"].final_context["station"] == SECRET
    assert cell.names["result"].status == "Completed"


@pytest.mark.parametrize("how", ["", "--background", "--debug"])
def test_what_is_secret_by_its_parameter_is_so_however_the_run_is_started(cell, how):
    cell(f"%%cloaca_params --secret station\nstation = '{SECRET}'")
    cell("%%cloaca_task look\nprint(station)\nseen = station")
    told = [cell(text) for text in (f"run = %cloaca_run {how}", "shown = run.wait() if hasattr(run, 'wait') else run")]
    told += [cell(text) for text in ("shown.final_context", "%cloaca_logs", "%cloaca_history")]
    assert not [
        one for ran in told for one in (ran.out, ran.err, *ran.shown, *ran.html, str(ran.error)) if SECRET in one
    ]
    assert cell.names["shown"].final_context["seen"] == SECRET


SPELLINGS = ["%%cloaca_params --secret station,gate\n", "%%cloaca_params\n#| secret: station, gate\n"]


@pytest.mark.parametrize("head", SPELLINGS)
def test_parameters_are_named_secret_in_either_spelling(head, cell):
    assert cell(f"{head}station = 'KJFK'\ngate = 'A1'\nyear = 2013").shown == [
        "parameters  ·  station = ••••  ·  gate = ••••  ·  year = 2013"
    ]
    cell("%%cloaca_task look\nn = len(station)")
    assert cell.session.workflow().secret == ("station", "gate")


WRONG = [
    ("%%cloaca_params --secret staton\nstation = 1", "no parameter 'staton'. Did you mean 'station'?"),
    ("%%cloaca_params --secrets station\nstation = 1", "unknown option --secrets. Did you mean '--secret'?"),
    ("%%cloaca_params\n#| secrets: station\nstation = 1", "Unknown option `#| secrets`. Did you mean 'secret'?"),
    ("%%cloaca_params --secret 1a\nstation = 1", "'1a' is no Python name"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_slip_is_answered_with_the_fix(text, message, cell):
    assert message in str(cell(text).error)


def test_which_keys_are_secret_is_a_setting(cell, caplog):
    cell("%config Cloaca.secret_keys = 'station'")
    answer = cell("%%cloaca_params\nstation = 'KJFK'\npassword = 'x'\nyear = 2013").shown
    assert answer == ["parameters  ·  station = ••••  ·  password = ••••  ·  year = 2013"]
    cell("%config Cloaca.secret_keys = '('")
    assert "Cloaca.secret_keys: The pattern of secret keys, '(', is no regular expression" in caplog.text


def test_who_goes_on_with_a_run_that_was_given_a_secret_is_asked_for_it_and_told_so_before(cell):
    cell("%%cloaca_params --secret station\nstation = ''\nlimit = 1")
    cell("%%cloaca_task look\nn = len(station)\nassert limit > 1")
    failed = cell("%cloaca_run --no-panel --param station=KJFKX")
    assert "When it is mended, %cloaca_run --resume --param station=… goes on from here." in failed.out
    asked = "began with the secret 'station', and history keeps none. Give it again: --param station=…"
    for how in ("--resume --param limit=2", "--only look", "--resume --background"):
        assert asked in cell(f"%cloaca_run {how}").out
    again = cell("%cloaca_run --no-panel --resume --param limit=2 --param station=KJFKX").value
    assert again.final_context["n"] == 5
    cell("station = 'KLGA'")
    assert cell("%cloaca_run --no-panel --resume").value.final_context["n"] == 4
