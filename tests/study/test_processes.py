"""What is told of processes."""

import subprocess
import sys

import numpy as np

PRINT = "from maskedteeth.study.processes import peak_memory_mib; print(peak_memory_mib())"


def test_the_peak_of_a_process_is_its_own_and_not_that_of_who_started_it():
    held = np.ones(300 << 20, np.uint8)  # of this process, 300 MiB
    own = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True)
    assert 2 < float(own.stdout) < 150 and held.any()
    taking = f"import numpy; held = numpy.ones(200 << 20, numpy.uint8); {PRINT}"
    own = subprocess.run([sys.executable, "-c", taking], capture_output=True, text=True, check=True)
    assert 200 < float(own.stdout) < 400
