"""Records of trainings and evaluations, and the settings of what is made of them."""

from maskedteeth.settings.sections import Presentation

SETTINGS = {
    "dataset": "A synthetic set",
    "protocol": "fixed-test",
    "threshold": 0.5,
    "boundary_tolerance": 2,
    "labels": {"unet": "U-Net", "ours": "Our approach"},
    "short_labels": {"unet": "U-Net", "ours": "Ours"},
    "ours": "ours",
}

#: What a training notes down.
RECORD = {
    "method": "ours",
    "fraction": 0.2,
    "settings": {},
    "code": "c",
    "modules": ["maskedteeth.training.train"],
    "inputs_sha256": {"pretext": None},
    "packages": {"torch": "2.13.0"},
    "image": None,
    "device": "a CPU",
    "precision": "bfloat16",
    "threads": 1,
    "python": "3.11.2",
    "system": "Linux",
    "git_commit": "c" * 40,
    "seed": 42,
    "radiographs": [12, 32, 64],
    "steps": 60,
    "training_seconds": 100.0,
    "images_per_second": 4.8,
    "seconds": 120.0,
    "resumed_after_steps": [],
    "machines": [],
    "peak_memory_mib": 400.0,
    "peak_device_memory_mib": None,
    "weights_sha256": "w",
}

#: What an evaluation notes down, but for its runs.
EVALUATION = {
    **{key: RECORD[key] for key in ("code", "packages", "device", "precision")},
    "settings": {"threshold": 0.5},
    "modules": ["maskedteeth.metrics.evaluate"],
    "inputs_sha256": {},
    "seconds": 20.0,
}


def evaluated(*records: dict, seconds: float = 20.0) -> dict:
    """Return what the evaluation of some trainings notes down; of a pretext, what its own does."""
    names = ("pretext", "method", "fraction", "seed", "weights_sha256")
    runs = [{n: r[n] for n in names if n in r} | {"seconds": seconds} for r in records]
    return EVALUATION | (runs[0] if "pretext" in runs[0] else {"runs": runs})


def of_pretext(record: dict, name: str) -> dict:
    """Turn the record of a training into that of a pretext's."""
    kept = {key: value for key, value in record.items() if key not in ("method", "fraction")}
    return kept | {"pretext": name, "modules": ["maskedteeth.training.pretrain"]}


def presentation(**changes) -> Presentation:
    """Return the settings of tables and figures."""
    return Presentation(**SETTINGS | {"bootstrap_resamples": 200} | changes)
