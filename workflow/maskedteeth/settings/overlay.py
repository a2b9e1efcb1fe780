"""A study as what it changes of another one: the overlay that makes it again."""

from pathlib import PurePath
from typing import Any

from maskedteeth.settings.config import Settings


def overlay(study: Settings, base: Settings) -> dict[str, Any]:
    """Return what has to be laid over the settings ``base`` to get ``study``.

    A method or pretext that the study leaves out is None. Left out is what changes no result: where
    files are (of ``data.path`` the last name stays) and how often a training's state is written.
    """
    wanted, known = study.model_dump(mode="json"), base.model_dump(mode="json")
    for settings in (wanted, known):
        settings["compute"].pop("checkpoint_minutes")
        settings["evaluation"].pop("lpips_weights")
        settings["data"].pop("download")
        if settings["data"]["path"] is not None:
            settings["data"]["path"] = PurePath(settings["data"]["path"]).name
    return _changed(wanted, known)


def _changed(wanted: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: None for name in known if name not in wanted}
    for name, value in wanted.items():
        other = known.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := _changed(value, other):
                found[name] = inner
        elif name not in known or value != other:
            found[name] = value
    return found
