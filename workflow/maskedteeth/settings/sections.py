"""What each stage sees of a study: only the settings that it depends on.

The positional parameters of a stage are sections of the study, by name; :data:`SECTIONS` says how
each is cut out. Snakemake runs a stage again when one of its sections changes, and only then.
"""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from maskedteeth.settings.config import (
    Compute,
    Fraction,
    HeldOut,
    Layout,
    Model,
    Name,
    Report,
    Seed,
    Settings,
    Strict,
    last_name,
)


class Run(Strict):
    """One training of the grid."""

    method: Name
    fraction: Fraction
    seed: Seed
    model: Model


class Presentation(Report):
    """What tables and figures say and show."""

    dataset: str = Field(description="The dataset's name.")
    protocol: str = Field(description="Of the split.")
    threshold: float = Field(description="Probability from which a pixel is tooth.")
    boundary_tolerance: float = Field(description="Pixels, of the normalised surface distance.")
    labels: dict[Name, str] = Field(description="Methods in order, with their names in print.")
    short_labels: dict[Name, str] = Field(description="Likewise, where space is short.")


def _presentation(study: Settings) -> Presentation:
    return Presentation(
        dataset=study.data.name,
        protocol=study.split.protocol,
        threshold=study.evaluation.threshold,
        boundary_tolerance=study.evaluation.boundary_tolerance,
        labels={name: entry.label for name, entry in study.methods.items()},
        short_labels={
            name: entry.short_label or entry.label for name, entry in study.methods.items()
        },
        **dict(study.report),
    )


def _part(section: Strict, kind: type[Strict]) -> Strict:
    """Return the fields of ``kind``, a base class of the section or a class with some of them."""
    return kind(**{name: getattr(section, name) for name in kind.model_fields})


def _run(study: Settings, job: dict[str, str]) -> Run:
    """Return one training by its wildcards, which have the fraction as it is printed in paths."""
    fraction = next(f for f in study.split.fractions if f"{f:g}" == job["fraction"])
    model = study.model_of(job["method"])
    return Run(method=job["method"], fraction=fraction, seed=int(job["seed"]), model=model)


#: What changes no result: how often states are written, where weights and the dataset come from.
CHANGES_NOTHING = (("compute", "checkpoint_minutes"), ("evaluation", "lpips_weights"))
CHANGES_NOTHING += (("data", "download"),)


def _changed(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given without what changes no result; of data.path its last name stays."""
    changed = {name: dict(part) if isinstance(part, dict) else part for name, part in given.items()}
    for section, name in CHANGES_NOTHING:
        changed.get(section, {}).pop(name, None)
    if changed.get("data", {}).get("path"):
        changed["data"]["path"] = last_name(changed["data"]["path"])
    return {name: part for name, part in changed.items() if part != {}}


#: Section → how it is cut out of a study for one job; ``job`` holds the job's wildcards.
SECTIONS: dict[str, Callable[[Settings, dict[str, Any]], Any]] = {
    "phantom": lambda study, job: study.data.phantom,
    "download": lambda study, job: study.data.download,
    "layout": lambda study, job: _part(study.data, Layout),
    "dataset": lambda study, job: job["dataset"],
    "image": lambda study, job: study.image,
    "held_out": lambda study, job: _part(study.split, HeldOut),
    "pretext": lambda study, job: study.pretext_of(job["pretext"]),
    "pretext_name": lambda study, job: job["pretext"],
    "task": lambda study, job: study.task,
    "training": lambda study, job: study.training_of(job["method"]),
    "transfer": lambda study, job: study.transfer_of(job["method"]),
    "model": lambda study, job: study.model_of(job["method"]),
    "models": lambda study, job: {
        **{f"pretext.{name}.model": entry.model for name, entry in study.pretext.items()},
        **{f"methods.{name}.model": study.model_of(name) for name in study.methods},
    },
    "method": lambda study, job: job["method"],
    "fraction": lambda study, job: _run(study, job).fraction,
    "seed": lambda study, job: int(job["seed"]),
    "runs": lambda study, job: [_run(study, run) for run in job["runs"]],
    "threshold": lambda study, job: study.evaluation.threshold,
    "boundary_tolerance": lambda study, job: study.evaluation.boundary_tolerance,
    "mask_seed": lambda study, job: study.evaluation.mask_seed,
    "lpips": lambda study, job: study.evaluation.lpips,
    "lpips_weights": lambda study, job: study.evaluation.lpips_weights,
    "compute": lambda study, job: _part(study.compute, Compute),
    "report": lambda study, job: _presentation(study),
    "study": lambda study, job: study.study,
    "source": lambda study, job: study.data.source,
    "changed": lambda study, job: _changed(job["given"]),
}


def cut(study: Settings, names: tuple[str, ...], job: dict[str, Any]) -> dict[str, Any]:
    """Cut sections out of a study.

    Args:
        study: all settings.
        names: keys of :data:`SECTIONS`.
        job: wildcards of the job, such as method, fraction and seed, and what else it is about.
    """
    return {name: SECTIONS[name](study, job) for name in names}


def as_values(sections: dict[str, Any]) -> dict[str, Any]:
    """Return sections as values that JSON knows."""
    return TypeAdapter(dict[str, Any]).dump_python(sections, mode="json")


def models_in(value: Any) -> list[Model]:
    """Return all networks that settings speak of, wherever in them."""
    if isinstance(value, Model):
        return [value]
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        value = list(value.values())
    return [m for part in value for m in models_in(part)] if isinstance(value, list | tuple) else []
