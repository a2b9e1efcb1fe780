"""Compare the results of a container with a local run's: compare.py INSIDE OUTSIDE NAME DIGEST.

Every file of every table but that of costs must be equal, byte for byte, every run.json made inside
must name the image, and none made outside may.
"""

import json
import sys
from pathlib import Path


def main(inside: Path, outside: Path, name: str, digest: str) -> int:
    """Return 0 where all is as it should be; print every difference."""
    made = (file for file in outside.glob("*/tables/*") if file.stem != "cost")
    tables = sorted(file.relative_to(outside) for file in made)
    different = [
        file
        for file in tables
        if not (inside / file).is_file()
        or (inside / file).read_bytes() != (outside / file).read_bytes()
    ]
    for file in different:
        print(f"{file} differs")
    records = sorted(inside.rglob("run.json"))
    strangers = []
    for file in records:
        image = json.loads(file.read_text())["image"]
        if image["name"] != f"{name}@{digest}" or not image["content"]:
            strangers.append(file)
            print(f"{file} names the image {image}")
    for file in outside.rglob("run.json"):
        if json.loads(file.read_text())["image"] is not None:
            strangers.append(file)
            print(f"{file}, made outside, names an image")
    print(
        f"{len(tables) - len(different)} of {len(tables)} files of tables are equal, byte for byte;"
    )
    print(f"{len(records)} run.json made inside, {len(strangers)} with a wrong image")
    return int(bool(different or strangers or not tables or not records))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
