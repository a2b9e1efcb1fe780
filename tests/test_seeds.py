import torch

from maskedteeth.seeds import generator


def draw(seed, purpose):
    return torch.rand(8, generator=generator(seed, purpose)).tolist()


def test_streams_of_one_seed_and_seeds_of_one_stream_differ():
    drawn = [draw(seed, purpose) for seed in (0, 42) for purpose in ("order", "blocks", "probes")]
    assert len({tuple(numbers) for numbers in drawn}) == len(drawn)
