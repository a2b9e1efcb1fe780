# What a job may use. On one machine these limit nothing unless --resources gives a pool; a cluster
# reserves them, and ends a job that takes more. A retry (--retries) gets as much again.


def growing(amount):
    """A resource that every further attempt gets as much again of."""
    return lambda wildcards, attempt: amount * attempt


# Of stages that import no torch.
LIGHT_MEM_MB = 2000
LIGHT_MINUTES = 30
# Of stages that run networks.
HEAVY_MEM_MB = 6000
HEAVY_GPU_MEM_MB = 0 if STUDY.compute.device == "cpu" else 16000
TRAINING_MINUTES = 720
EVALUATION_MINUTES = 60
