"""Nested settings by one key each."""

from maskedteeth.study.nesting import flat


def test_settings_lose_their_nesting_and_nothing_else():
    settings = {"seed": 0, "model": {"widths": [32, 64], "options": {"depth": 2}, "extra": {}}}
    assert flat(settings) == {
        "seed": 0,
        "model.widths": [32, 64],
        "model.options.depth": 2,
        "model.extra": {},
    }
