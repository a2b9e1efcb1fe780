"""`python -m maskedteeth` is `maskedteeth`."""

import sys

from maskedteeth.cli import main

sys.exit(main())
