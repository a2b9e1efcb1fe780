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

RECORD = {
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

EVALUATION = {
    **{key: RECORD[key] for key in ("code", "packages", "device", "precision")},
    "settings": {"evaluation": {"threshold": 0.5}},
    "modules": ["maskedteeth.metrics.evaluate"],
    "inputs_sha256": {"weights": "w"},
    "seconds": 20.0,
}


def presentation(**changes) -> Presentation:
    """Return the settings of tables and figures."""
    return Presentation(**SETTINGS | {"bootstrap_resamples": 200} | changes)
