"""Write pip's settings of this machine to a file, and print the folders that they name.

    python pip_conf.py FILE

What is built or run in another file system finds packages as this machine does, when the file is
there as /etc/pip.conf and the folders are at the same places.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

command = [sys.executable, "-m", "pip", "config", "list"]
listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
lines = re.findall(r"^(?:global|:env:)\.([a-z-]+)=(.*)$", listed, re.MULTILINE)
settings = {name: ast.literal_eval(value) for name, value in sorted(lines, reverse=True)}
text = "".join(f"{name} = {value}\n" for name, value in settings.items())
Path(sys.argv[1]).write_text(f"[global]\n{text}")
words = [word.removeprefix("file://") for value in settings.values() for word in value.split()]
paths = [Path(word.removesuffix("/simple")) for word in words if word.startswith("/")]
# For a certificate its folder, where links lead to others; for an index also the files beside it.
print(*sorted({str(path if path.is_dir() else path.parent) for path in paths}), sep="\n")
