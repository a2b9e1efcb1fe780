"""What a training notes down and the settings of what is made of it, for tests of the report."""

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
    "inputs_sha256": {},
    "packages": {"torch": "2.13.0"},
    "device": "a CPU",
    "precision": "bfloat16",
    "threads": 1,
    "python": "3.11.2",
    "system": "Linux",
    "git_commit": "c" * 40,
    "seed": 42,
    "steps": 60,
    "training_seconds": 100.0,
    "images_per_second": 4.8,
    "seconds": 120.0,
    "resumed_after_steps": [],
    "peak_memory_mib": 400.0,
    "peak_device_memory_mib": None,
    "weights_sha256": "w",
}
