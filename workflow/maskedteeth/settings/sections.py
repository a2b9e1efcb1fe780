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
    Model,
    Name,
    Report,
    Seed,
    Settings,
    Share,
    Strict,
)
from maskedteeth.settings.overlay import overlay


class Layout(Strict):
    """How a dataset is laid out, and how much of it may be unusable."""

    source: str
    images: str = "images"
    masks: str = "masks"
    most_problems: Share = 0.1


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


def exact_fraction(study: Settings, printed: str) -> float:
    """Return the fraction of the settings that is printed so in paths."""
    return next(f for f in study.split.fractions if f"{f:g}" == printed)


def runs_of(study: Settings, grid: list[dict[str, str]]) -> list[Run]:
    """Return the trainings of a list of (method, fraction, seed) as they stand in paths."""
    return [
        Run(
            method=run["method"],
            fraction=exact_fraction(study, run["fraction"]),
            seed=int(run["seed"]),
            model=study.model_of(run["method"]),
        )
        for run in grid
    ]


#: Section → how it is cut out of a study for one job; ``job`` holds the job's wildcards.
SECTIONS: dict[str, Callable[[Settings, dict[str, Any]], Any]] = {
    "phantom": lambda study, job: study.data.phantom,
    "download": lambda study, job: study.data.download,
    "layout": lambda study, job: _part(study.data, Layout),
    "dataset": lambda study, job: job["dataset"],
    "image": lambda study, job: study.image,
    "held_out": lambda study, job: _part(study.split, HeldOut),
    "pretext": lambda study, job: study.pretext[job["pretext"]],
    "pretext_name": lambda study, job: job["pretext"],
    "training": lambda study, job: study.training,
    "model": lambda study, job: study.model_of(job["method"]),
    "models": lambda study, job: {
        **{f"pretext.{name}.model": entry.model for name, entry in study.pretext.items()},
        **{f"methods.{name}.model": study.model_of(name) for name in study.methods},
    },
    "method": lambda study, job: job["method"],
    "fraction": lambda study, job: exact_fraction(study, job["fraction"]),
    "seed": lambda study, job: int(job["seed"]),
    "runs": lambda study, job: runs_of(study, job["runs"]),
    "threshold": lambda study, job: study.evaluation.threshold,
    "boundary_tolerance": lambda study, job: study.evaluation.boundary_tolerance,
    "mask_seed": lambda study, job: study.evaluation.mask_seed,
    "lpips": lambda study, job: study.evaluation.lpips,
    "lpips_weights": lambda study, job: study.evaluation.lpips_weights,
    "sample_count": lambda study, job: study.report.samples,
    "compute": lambda study, job: _part(study.compute, Compute),
    "report": lambda study, job: _presentation(study),
    "study": lambda study, job: study.study,
    "source": lambda study, job: study.data.source,
    "changed": lambda study, job: overlay(study, job["paper"]),
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
