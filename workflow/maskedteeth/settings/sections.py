"""What each stage sees of a study: only the settings that it depends on.

The positional parameters of a stage are sections of the study, by name; :data:`SECTIONS` says how
each is cut out. Snakemake runs a stage again when one of its sections changes, and only then.
"""

import copy
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from maskedteeth.settings.config import (
    Annotations,
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
    TaskName,
    last_name,
)


class Run(Strict):
    """One training of the grid."""

    method: Name
    fraction: Fraction
    seed: Seed
    model: Model
    task: TaskName
    annotations: Annotations | None = Field(None, description="Errors that it is trained on.")


class Encoder(Strict):
    """An encoder with weights that were trained elsewhere."""

    name: str
    weights: str


class Presentation(Report):
    """What tables and figures say and show."""

    dataset: str = Field(description="The dataset's name.")
    protocol: str = Field(description="Of the split.")
    threshold: float = Field(description="Probability from which a pixel is tooth.")
    boundary_tolerance: float = Field(description="Pixels, of the normalised surface distance.")
    labels: dict[Name, str] = Field(description="Methods in order, with their names in print.")
    short_labels: dict[Name, str] = Field(description="Likewise, where space is short.")


#: What stands for annotations without errors.
CLEAN = "none"


class Noise(Strict):
    """Errors in the annotations that a method was trained on.

    ``base`` is the first method that differs from it in these alone, or the method itself.
    """

    base: Name
    errors: str = Field(description="In print; none: the annotations are clean.")


def _noise(study: Settings) -> dict[str, Noise]:
    """Return, where methods are trained on errors, what there is of each and of its base."""

    def described(method: str) -> str:
        annotations = study.methods[method].annotations
        changed = annotations.model_dump(exclude_defaults=True) if annotations else {}
        return ", ".join(f"{name} {value:g}" for name, value in changed.items()) or CLEAN

    first: dict[str, str] = {}
    bases = {
        name: first.setdefault(
            f"{entry.model_dump_json(exclude=APART_FROM)} {study.training_of(name)}", name
        )
        for name, entry in study.methods.items()
    }
    noisy = {bases[name] for name in study.noisy}
    return {
        name: Noise(base=base, errors=described(name))
        for name, base in bases.items()
        if base in noisy
    }


def _encoder(study: Settings, name: str) -> Encoder:
    """Return an encoder by the name of its file."""
    model = next(model for model in models_in(study) if model.pretrained == name)
    return Encoder(name=model.encoder, weights=model.encoder_weights)


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


#: In what the entry of a method may differ from that of the one that is the same but for errors in
#: the annotations; their trainings are compared as a whole.
APART_FROM = {"label", "short_label", "seeds", "annotations", "training", "source"}


def _part(section: Strict, kind: type[Strict]) -> Strict:
    """Return the fields of ``kind``, a base class of the section or a class with some of them."""
    return kind(**{name: getattr(section, name) for name in kind.model_fields})


def _run(study: Settings, job: dict[str, str]) -> Run:
    """Return one training by its wildcards, which have the fraction as it is printed in paths."""
    fraction = next(f for f in study.split.fractions if f"{f:g}" == job["fraction"])
    model = study.model_of(job["method"])
    about = {"method": job["method"], "fraction": fraction, "seed": int(job["seed"])}
    annotations = study.methods[job["method"]].annotations
    return Run(**about, model=model, task=study.task, annotations=annotations)


#: What changes no result: how often states are written, where files come from, when a run stops.
#: The rules tell stages these, and Snakemake does not compare them.
CHANGES_NOTHING = (("compute", "checkpoint_minutes"), ("evaluation", "lpips_weights"))
OF_DATA = ("download", "most_problems")


def _changed(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given without what changes no result; of a path of data its last name."""
    changed = copy.deepcopy(given)
    for section, name in CHANGES_NOTHING:
        changed.get(section, {}).pop(name, None)
    for data in [changed.get("data", {}), *changed.get("datasets", {}).values()]:
        if data:
            for name in OF_DATA:
                data.pop(name, None)
            if data.get("path"):
                data["path"] = last_name(data["path"])
    return {name: part for name, part in changed.items() if part != {}}


#: Section → how it is cut out of a study for one job; ``job`` holds the job's wildcards.
SECTIONS: dict[str, Callable[[Settings, dict[str, Any]], Any]] = {
    "phantom": lambda study, job: study.data.phantom,
    "layout": lambda study, job: _part(study.data, Layout),
    "dataset": lambda study, job: job["dataset"],
    "image": lambda study, job: study.image,
    "given": lambda study, job: None if "elsewhere" in job else study.split.given,
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
    "encoder": lambda study, job: _encoder(study, job["encoder"]),
    "method": lambda study, job: job["method"],
    "annotations": lambda study, job: study.methods[job["method"]].annotations,
    "adversary": lambda study, job: study.methods[job["method"]].adversary,
    "noise": lambda study, job: _noise(study),
    "sources": lambda study, job: {n: entry.source or "" for n, entry in study.methods.items()},
    "datasets": lambda study, job: {n: study.datasets[n].name for n in study.evaluation.also_on},
    "elsewhere": lambda study, job: job["elsewhere"],
    "fraction": lambda study, job: _run(study, job).fraction,
    "seed": lambda study, job: int(job["seed"]),
    "runs": lambda study, job: [_run(study, run) for run in job["runs"]],
    "threshold": lambda study, job: study.evaluation.threshold,
    "boundary_tolerance": lambda study, job: study.evaluation.boundary_tolerance,
    "mask_seed": lambda study, job: study.evaluation.mask_seed,
    "lpips": lambda study, job: study.evaluation.lpips,
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
