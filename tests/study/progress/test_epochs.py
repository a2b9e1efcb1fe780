import pytest

from maskedteeth.settings.config import Recipe
from maskedteeth.study.progress.epochs import TAIL, Reached, reached, tail, went_on

LOG = """/usr/lib/python3/some.py:12: UserWarning: epoch 1/3 of something
epoch 1/3  step 10  loss 0.6931  50.0 images/s
epoch 2/3  step 20  loss 0.3621  50.8 images/s
"""
SECOND = Reached(2, 3, 20, 0.3621, 50.8)


def test_the_last_epoch_counts():
    assert reached(LOG) == SECOND
    assert SECOND.seconds(batch_size=8, elapsed=99) == pytest.approx(20 * 8 / 50.8)


@pytest.mark.parametrize(
    ("rate", "elapsed", "seconds"),
    [
        *((0.1, 1000, 1000), (0.1, 2000, 1600), (0.1, 0, 1600 / 3)),
        *((0.0, 4000, 4000), (0.0, 0, 1600), (1.0, 80, 80), (1.0, 99, 80 / 0.95)),
    ],
)
def test_the_clock_decides_what_a_rate_of_one_decimal_leaves_open(rate, elapsed, seconds):
    slow = Reached(1, 3, 10, 0.5, rate)
    assert slow.seconds(batch_size=8, elapsed=elapsed) == pytest.approx(seconds)


def test_a_line_that_is_being_written_does_not_count_yet():
    whole = "epoch 3/3  step 30  loss 0.1234  51.9 images/s\n"
    assert {reached(LOG + whole[:n]) for n in range(len(whole))} == {SECOND}
    assert reached(LOG + whole).epoch == 3


@pytest.mark.parametrize("log", ["", "\n", "12 radiographs, 11 labelled\n", "epoch 1/3  step 10"])
def test_the_log_of_another_stage_has_no_epoch(log):
    assert reached(log) is None and went_on(log) == 0


def test_a_training_that_goes_on_says_where_from():
    assert went_on(f"Going on after step 15 of 60.\n{LOG}") == 0.25
    assert reached(f"{LOG}Going on after step 15 of 60.\n") == SECOND


def test_a_missing_log_is_empty_and_of_a_long_one_the_end_is_read(tmp_path):
    assert tail(tmp_path / "none.log") == "" == tail(tmp_path)
    (tmp_path / "long.log").write_bytes(b"\xff" * TAIL + LOG.encode())
    assert reached(tail(tmp_path / "long.log")) == SECOND


def test_the_engine_writes_what_is_read_here(capsys):
    import torch

    from maskedteeth.training.engine import Progress

    progress = Progress(torch.device("cpu"))
    progress.step, progress.total = 20, torch.tensor(10.0)
    recipe = Recipe.model_construct(epochs=7, batch_size=8, learning_rate=0.1)
    progress.end_epoch(recipe, begin=0.0)
    said = reached(capsys.readouterr().err)
    assert (said.epoch, said.epochs, said.step, said.loss) == (1, 7, 20, 0.5)
