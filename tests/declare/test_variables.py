"""Values from the environment."""

import pytest

from cloaca_nb.declare.variables import var, var_or


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
