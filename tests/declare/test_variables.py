"""Values from the environment."""

import pytest

from cloaca_nb.declare.variables import var, var_or, variables
from cloaca_nb.errors import DefinitionError


def test_read_when_called(monkeypatch):
    monkeypatch.setenv("CLOACINA_VAR_db_Url", "one")
    assert var("db_Url") == "one"
    monkeypatch.setenv("CLOACINA_VAR_db_Url", "")
    assert var("db_Url") == ""
    assert var_or("db_Url", "default") == ""


def test_unset(monkeypatch):
    monkeypatch.delenv("CLOACINA_VAR_X", raising=False)
    assert var_or("X", "default") == "default"
    with pytest.raises(KeyError) as caught:
        var("X")
    assert str(caught.value) == "required variable 'X' not set (expected env var CLOACINA_VAR_X)"
    assert caught.value.__notes__ == ["In a shell: cloaca-nb run … --var X=…; in a notebook: %env CLOACINA_VAR_X=…."]


def test_unset_but_for_a_slip(monkeypatch):
    monkeypatch.setenv("CLOACINA_VAR_DATA_SURCE", "here")
    with pytest.raises(KeyError) as caught:
        var("DATA_SOURCE")
    assert caught.value.__notes__[0].endswith(" Did you mean 'DATA_SURCE', which is set?")


def test_given_for_a_block():
    environ = {"CLOACINA_VAR_A": "before"}
    with variables(["A=x=y", "B="], environ):
        assert environ == {"CLOACINA_VAR_A": "x=y", "CLOACINA_VAR_B": ""}
    assert environ == {"CLOACINA_VAR_A": "before"}


@pytest.mark.parametrize("settings", [["A"], ["=x"], ["A=\0"], ["A=1", "A=2"]])
def test_given_wrongly(settings):
    with pytest.raises(DefinitionError, match="NAME=VALUE|twice"):
        variables(settings)
