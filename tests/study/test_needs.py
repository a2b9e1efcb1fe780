import pytest

from maskedteeth.study import needs

MEASURED = {
    "peak_memory_mib": 1000,
    "peak_device_memory_mib": 10_000,
    "evaluation_device_memory_mib": 4000,
    "card_room_mib": 78_000,
    "seconds_per_step": 0.5,
    "steps": 1200,
}


def test_what_was_measured_with_a_margin_and_more_at_every_attempt():
    assert [needs.mem_mb(MEASURED, n) for n in (1, 2)] == [1364, 2728]  # MB, times 1.3
    assert [needs.runtime(MEASURED, n) for n in (1, 2, 3)] == [30, 60, 90]  # 10 + 2 x 10 minutes
    assert [needs.gpu_mem_mb(MEASURED, n) for n in (1, 2)] == [11_250, 22_500]
    assert needs.gpu_mem_mb(MEASURED, of="evaluation", factor=2) == 9000


def test_what_fills_a_card_still_fits_on_it():
    assert needs.gpu_mem_mb({**MEASURED, "peak_device_memory_mib": 75_000}) == 78_000
    assert needs.gpu_mem_mb(MEASURED, 20) == 78_000
    # It ran there alone, and will again.
    assert needs.gpu_mem_mb({**MEASURED, "peak_device_memory_mib": 79_000}) == 78_000


def test_without_a_card_nothing_is_asked_of_one():
    assert needs.gpu_mem_mb({**MEASURED, "peak_device_memory_mib": None}) == 0


def test_a_missing_file_is_what_snakemake_expects(tmp_path):
    with pytest.raises(FileNotFoundError):
        needs.read(tmp_path / "needs.json")
