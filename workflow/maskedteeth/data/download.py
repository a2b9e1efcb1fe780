"""Download one large file: resumed when it is cut off, and verified before it gets its name."""

import shutil
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from maskedteeth.errors import InputError, say
from maskedteeth.files import naming
from maskedteeth.provenance import sha256 as sha256_of

if TYPE_CHECKING:
    from requests import Response

#: Attempts that may fail one after the other without a new byte.
ATTEMPTS = 5
#: Seconds before the second attempt; doubled before each further one.
BACKOFF = 1.0
#: The longest wait in seconds, also where a server asks for a longer one.
LONGEST_WAIT = 60.0
#: Seconds to connect, and seconds without a byte, after which an attempt has failed.
TIMEOUT = (15, 60)
#: Bytes in a second. An attempt that brings fewer, over the time that it may be silent, has failed.
SLOWEST = 1000
#: What every zip starts with.
ZIP_START = b"PK"
#: Bytes read at once, at most.
CHUNK = 1 << 16


class _Interrupted(Exception):
    """An attempt failed in a way that another may mend."""

    def __init__(self, problem: str, *, wait: float = 0.0, slow: bool = False) -> None:
        super().__init__(problem)
        self.wait = wait  # seconds that the server asked for
        self.slow = slow  # new bytes are no progress, then


def download(
    url: str,
    target: Path,
    sha256: str,
    *,
    attempts: int = ATTEMPTS,
    backoff: float = BACKOFF,
    timeout: tuple[float, float] = TIMEOUT,
) -> None:
    """Download the zip at ``url`` to ``target``; do nothing where a verified one is there already.

    Bytes are collected in ``<target>.part``, which a later call goes on with. The file gets its
    name when its sha256 is right; otherwise it is removed, and downloaded anew where it was made
    of several parts, which may be of different files.

    Args:
        url: http or https address of a zip file.
        target: file to write.
        sha256: hexadecimal digest that the file must have.
        attempts: failed attempts in a row, none of which brought a new byte, before giving up.
        backoff: seconds before the second attempt; doubled before each further one.
        timeout: seconds to connect, and seconds without a byte, or with very few
            (:data:`SLOWEST`).

    Raises:
        InputError: the address refuses, answers with something else than a zip, stays out of
            reach, or the file's digest is wrong; or the disk has too little room.
        OSError: the disk is full or cannot be written.
    """
    sha256 = sha256.lower()
    if target.exists():
        if sha256_of(target) == sha256:
            say(f"{target} is here already and its sha256 is right.")
            return
        say(f"{target} has another sha256 than {sha256}; it is downloaded again.")
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")

    for last in (False, True):
        several = _collect(url, part, sha256, attempts, backoff, timeout)
        found = sha256_of(part)
        if found == sha256:
            part.replace(target)
            return
        part.unlink()
        if last or not several:
            break
        say(f"{target.name}, made of several parts, has sha256 {found}; it is downloaded anew.")
    raise InputError(
        f"The file from {shown(url)} has sha256 {found} where {sha256} was expected; it has "
        f"been removed. Run again; if this stays, the file has changed. {BY_HAND}"
    )


def _collect(
    url: str,
    part: Path,
    sha256: str,
    attempts: int,
    backoff: float,
    timeout: tuple[float, float],
) -> bool:
    """Bring ``part`` to its end, see :func:`download`; tell whether that took several parts."""
    failures, most = 0, _size(part)
    several = most > 0
    while True:
        try:
            _attempt(url, part, sha256, timeout)
            return several
        except _Interrupted as interruption:
            size = _size(part)
            failures = 0 if size > most and not interruption.slow else failures + 1
            most = max(most, size)
            several = several or size > 0
            if failures >= attempts:
                kept = f"{size} bytes are kept in {part}; run again to go on with them. "
                raise InputError(
                    f"{interruption}, in {attempts} attempts without progress. "
                    f"{kept if size else ''}{BY_HAND}"
                ) from None
            wait = max(backoff * 2 ** max(failures - 1, 0), interruption.wait)
            wait = min(wait, LONGEST_WAIT)
            say(f"{interruption}; trying again in {wait:.0f} s ({size} bytes are here).")
            time.sleep(wait)


#: What to do when no download works.
BY_HAND = "You can also download the zip by hand and set data.path to it."


def shown(url: str) -> str:
    """Return ``url`` for messages: without user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _attempt(url: str, part: Path, sha256: str, timeout: tuple[float, float]) -> None:
    """Bring ``part`` to its end, going on where it stops.

    Raises:
        _Interrupted: it broke off, or the server is busy.
        InputError: another attempt would end the same.
    """
    import requests
    import urllib3

    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # else sizes and ranges count compressed bytes
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=timeout, hooks={"response": refuse_downgrade}
        ) as answer:
            # Nothing comes after what is here: it is all, or it is wrong.
            if have and answer.status_code == 416:
                if sha256_of(part) == sha256:
                    return
                part.unlink()
                raise _Interrupted(f"{part} does not fit the file at {shown(url)}")
            _refuse_errors(url, answer)
            resumed = _goes_on(answer, have)
            _receive(url, answer, part, have if resumed else 0, timeout[1])
    except (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise _Interrupted(f"The connection to {shown(url)} failed ({_reason(error)})") from None
    except requests.exceptions.TooManyRedirects:
        raise InputError(
            f"{shown(url)} redirects without end; check the address. {BY_HAND}"
        ) from None
    except requests.exceptions.RequestException as error:  # a malformed URL
        raise InputError(
            f"{shown(url)} could not be asked for ({type(error).__name__}); check the address. "
            f"{BY_HAND}"
        ) from None


def refuse_downgrade(answer: "Response", **_: object) -> None:
    """Refuse to follow a redirect from https to http, which anyone on the way could read.

    Raises:
        InputError: the answer is such a redirect.
    """
    where = urljoin(answer.url, answer.headers.get("Location", ""))
    if answer.is_redirect and answer.url.startswith("https:") and not where.startswith("https:"):
        raise InputError(
            f"{shown(answer.url)} redirects to {shown(where)}, which is not encrypted, where https "
            f"was expected. Check the address. {BY_HAND}"
        )


def _refuse_errors(url: str, answer: "Response") -> None:
    """Raise for an HTTP status other than 200 and 206."""
    status = answer.status_code
    if status in (200, 206):
        return
    if status in (408, 429) or status >= 500:
        wait = _wait_asked_for(answer.headers.get("Retry-After", ""))
        raise _Interrupted(f"{shown(url)} answered HTTP {status} {answer.reason}", wait=wait)
    meaning = {
        401: "it wants a login",
        403: "access is denied, by the server or by a proxy on the way",
        404: "there is no such file any more",
        407: "a proxy on the way wants a login",
    }.get(status, "no file came")
    raise InputError(
        f"{shown(url)} answered HTTP {status} {answer.reason} where a zip was expected: {meaning}. "
        f"Set MASKEDTEETH_HITL_URL to a mirror. {BY_HAND}"
    )


def _wait_asked_for(text: str) -> float:
    """Return the seconds of a header Retry-After, which gives them or a date; 0 for neither."""
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((until.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _goes_on(answer: "Response", have: int) -> bool:
    """Tell whether the answer continues the ``have`` bytes that are here; else it starts anew."""
    started = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    if answer.status_code == 206 and started != str(have):
        raise _Interrupted(
            f"The server sent bytes from {started or '?'} where {have} was asked for"
        )
    return answer.status_code == 206


def _receive(url: str, answer: "Response", part: Path, have: int, patience: float) -> None:
    """Append the body of ``answer`` to ``part``, or replace it where ``have`` is 0."""
    length = answer.headers.get("Content-Length", "")
    total = have + int(length) if length.isdecimal() else None
    # What has come, however little: requests' own iterator waits for whole chunks.
    chunk = answer.raw.read1(CHUNK)
    while 0 < len(chunk) < len(ZIP_START) and (more := answer.raw.read1(CHUNK)):
        chunk += more
    if have == 0:  # looked at before it may replace what is here
        _refuse_other_than_zip(url, answer, chunk)
    _refuse_full_disk(part, have, total)
    progress = _Progress(part.stem, have, total)
    begin, count = time.monotonic(), 0
    with naming(part), part.open("ab" if have else "wb") as file, progress:
        while chunk:
            file.write(chunk)
            progress.add(len(chunk))
            count += len(chunk)
            seconds = time.monotonic() - begin
            if seconds > patience:
                if count < SLOWEST * seconds:
                    raise _Interrupted(
                        f"{shown(url)} sent {count} bytes in {seconds:.0f} s", slow=True
                    )
                begin, count = time.monotonic(), 0
            chunk = answer.raw.read1(CHUNK)
    if total is not None and _size(part) != total:
        raise _Interrupted(f"{shown(url)} ended after {_size(part)} of {total} bytes")


def _refuse_full_disk(part: Path, have: int, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free + (_size(part) if have == 0 else 0)
    if total is not None and total - have > free:
        raise InputError(
            f"{(total - have) / 1e6:.1f} MB are still to be downloaded to {part}, and its disk has "
            f"{free / 1e6:.1f} MB left; make room and run the same command again."
        )


def _refuse_other_than_zip(url: str, answer: "Response", start: bytes) -> None:
    if start.startswith(ZIP_START) or not start:
        return
    kind = answer.headers.get("Content-Type", "content of an unknown type").partition(";")[0]
    raise InputError(
        f"{shown(url)} answered with {kind} where a zip was expected; it may be a login page of "
        f"your network or of a proxy. {BY_HAND}"
    )


class _Progress:
    """A bar where a person watches; elsewhere a line every tenth."""

    def __init__(self, name: str, have: int, total: int | None) -> None:
        from tqdm import tqdm

        self.name, self.have, self.total = name, have, total
        self.watched = sys.stderr.isatty()
        self.bar = tqdm(
            desc=name,
            initial=have,
            total=total,
            unit="B",
            unit_scale=True,
            disable=not self.watched,
        )
        size = f"{total / 1e6:.1f} MB" if total else "a file of unknown size"
        say(f"Downloading {name}: {size}" + (f", {have / 1e6:.1f} MB are here." if have else "."))

    def add(self, count: int) -> None:
        """Count received bytes."""
        before, self.have = self.have, self.have + count
        self.bar.update(count)
        if self.total and not self.watched:
            tenth = 10 * self.have // self.total
            if tenth > 10 * before // self.total:
                say(f"{self.name}: {10 * tenth} %")

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: Exception) -> str:
    """Return the innermost cause of a requests error in a few words, without addresses."""
    text = str(error).lower()
    for sign, words in (
        ("resol", "the name could not be resolved; is there a network?"),
        ("refused", "connection refused"),
        ("certificate", "the certificate could not be verified"),
        ("timed out", "no answer in time"),
        ("incompleteread", "cut off"),
        ("broken", "cut off"),
        ("reset", "cut off"),
        ("proxy", "the proxy could not be reached"),
    ):
        if sign in text:
            return words
    return type(error).__name__
