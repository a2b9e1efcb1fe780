import textwrap

import pytest

from maskedteeth.study.failures import WIDTH, Failed, reason, summary

COMMAND = "python -m maskedteeth train > log 2>&1"
#: As Snakemake prints an error of Python's subprocess.
PRINTED = """
RuleException:
CalledProcessError in file "workflow/rules/training.smk", line 70:
Command 'set -eo pipefail;  {command}' {end}.
"""


@pytest.fixture
def job(tmp_path):
    """Makes a failed job whose log has a content."""

    def make(log: str | None = "", seed=42, **known):
        file = tmp_path / f"train-unet-{seed}.log"
        if log is not None:
            file.write_text(log)
        return Failed("train", {"method": "unet", "seed": str(seed)}, [file], COMMAND, **known)

    return make


def printed(end):
    return PRINTED.format(command=COMMAND, end=end)


def test_the_sentence_at_the_end_of_a_log_is_the_reason(job):
    log = (
        "epoch 1/2\nmaskedteeth train: no\nepoch 2/2\nmaskedteeth train: The loss is nan.\nTry 1.\n"
    )
    assert reason(job(log), "") == ["maskedteeth train: The loss is nan.", "Try 1."]


@pytest.mark.parametrize(
    "end", ["returned non-zero exit status 137", "died with <Signals.SIGKILL: 9>"]
)
def test_a_killed_job_says_so_with_the_memory_it_had(job, end):
    first, *last = reason(job("epoch 1/2\n", mem_mb=6000), printed(end))
    assert first.startswith("It was killed by signal 9 (SIGKILL), most likely by the kernel")
    assert "given 6000 MB" in first and "batch_size" in first and last == ["epoch 1/2"]
    assert "mem_mb" not in reason(job(""), printed(end))[0]


def test_other_signals_are_named(job):
    end = printed("returned non-zero exit status 139")
    assert reason(job(), end) == ["It was ended by signal 11 (SIGSEGV) and could not say why."]
    assert "signal 100 and" in reason(job(), printed("returned non-zero exit status 228"))[0]


def test_the_status_of_another_job_is_not_taken_for_this_ones(job):
    other = PRINTED.format(
        command=COMMAND.replace("log", "x"), end="died with <Signals.SIGKILL: 9>"
    )
    assert "killed" not in reason(job(), other)[0]


def test_a_retried_job_has_the_status_of_its_last_attempt(job):
    both = printed("died with <Signals.SIGKILL: 9>") + printed("returned non-zero exit status 1")
    assert (
        reason(job("oops\n"), both)[0] == "It ended with exit status 1. The last lines of its log:"
    )


def test_without_a_sentence_the_last_lines_are_shown(job):
    log = "".join(f"line {n}\n\n" for n in range(50))
    first, *last = reason(job(log), "")
    assert first == "It ended. The last lines of its log:"
    assert last == [f"line {n}" for n in range(40, 50)]


def test_a_job_without_a_log_is_listed_too(job):
    assert "its log is empty" in reason(job(None), printed("returned non-zero exit status 1"))[0]


def test_the_summary_fits_a_terminal_and_says_each_reason_once(job):
    sentence = "maskedteeth train: " + "The loss is nan and this is said at length. " * 5
    jobs = [job(sentence, seed=seed) for seed in (1, 2)] + [job("oops\n", seed=3)]
    text = summary(jobs, finished=4, planned=9, printed="")
    assert text.startswith(
        "3 jobs failed; 4 of 9 are finished and stay as they are; 2 did not run."
    )
    assert " ".join(text.split()).count("The loss is nan") == 5
    for seed in (1, 2, 3):
        assert f"train: method unet, seed {seed}\n" in text
    paths = [str(log) for one in jobs for log in one.logs]
    assert all(len(line) <= WIDTH or any(p in line for p in paths) for line in text.splitlines())
    assert text.endswith("The same command goes on from here once the cause is mended.")


def test_indented_lines_of_a_traceback_stay_indented(job):
    log = textwrap.dedent("""
        Traceback (most recent call last):
          File "a.py", line 1, in f
        KeyError: 'x'
    """)
    assert '\n    File "a.py", line 1, in f\n  KeyError' in summary([job(log)], 0, 1, "")
