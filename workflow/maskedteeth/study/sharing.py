"""Studies share what they would compute alike: the first computes it, the others copy.

For every such result there is a small file in a folder beside the studies, named by the digest of
all that decides the result. It lists where the result lies, with the files' digests, and whoever
makes the result holds its lock. Every study keeps a copy of its own: it can be moved, changed or
deleted without the others, and a copy that was changed or deleted is made again, not believed.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from maskedteeth.errors import say
from maskedteeth.files import replacing, write_json
from maskedteeth.provenance import sha256
from maskedteeth.study.locks import alone

#: A place of a result: by the output's name, its path and sha256.
Place = dict[str, tuple[str, str]]
_PLACES = TypeAdapter(list[Place])


@contextmanager
def sharing(
    folder: Path | None, identity: dict[str, Any], **outputs: Path
) -> Iterator[dict[str, Path] | None]:
    """Copy a result from another study, or keep it from being computed twice while the block does.

    Args:
        folder: where results are registered; None: nothing is shared.
        identity: all that decides the result: settings, code, inputs; JSON values.
        outputs: files of the result by name.

    Yields:
        None: the block has to make the result. Otherwise it is there, and this is where it was
        copied from.
    """
    if folder is None:
        yield None
        return
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    register = folder / f"{key}.json"
    busy = "Another study makes the same just now; waiting for it."
    with alone(register.with_suffix(".lock"), busy):
        own = {str(output) for output in outputs.values()}
        places = [
            place
            for place in _places(register)
            if _intact(place, outputs) and not own & {path for path, _ in place.values()}
        ]
        source = None
        if places:
            source = {name: Path(path) for name, (path, _) in places[0].items()}
            for name, output in outputs.items():
                with replacing(output) as temporary:
                    shutil.copyfile(source[name], temporary)
            say(f"Copied from {', '.join(map(str, source.values()))}: the settings are the same.")
        yield source
        mine = {name: [str(output), sha256(output)] for name, output in outputs.items()}
        try:
            write_json(register, [*places, mine])
        except OSError as error:  # the result stands all the same
            say(f"{register} cannot be written ({error}); other studies will not find this one's.")


def _places(register: Path) -> list[Place]:
    try:
        return _PLACES.validate_json(register.read_bytes())
    except (OSError, ValueError):  # none yet, or damaged: it is written anew
        return []


def _intact(place: Place, outputs: dict[str, Path]) -> bool:
    """Tell whether all files of a result still stand at ``place`` as they were."""
    return place.keys() == outputs.keys() and all(
        Path(path).is_file() and sha256(Path(path)) == digest for path, digest in place.values()
    )
