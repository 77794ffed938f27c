"""The command's results: a JSON line a check, written when the check is over."""

import json
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.records import ends_line

OK, FAILED, SKIPPED = "ok", "error", "skipped"
_LAST_LINES = 12


class TimeUpError(BaseException):
    """A block took longer than it may; no ``except Exception`` swallows it."""


class Log:
    """A file of JSON lines; the last line about a check counts.

    Parameters
    ----------
    path : Path
        Created if it is not there; lines of earlier runs stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        for record in read_lines(path):
            self.records[record["stage"], record["check"]] = record

    def get(self, stage: str, check: str) -> dict[str, Any] | None:
        """Return the facts of a check that is done, None if it is not."""
        record = self.records.get((stage, check))
        return record["facts"] if record and record["status"] == OK else None

    def ended(self, stage: str, check: str) -> str | None:
        """Return how a check ended when it was last tried, None if it was not."""
        record = self.records.get((stage, check))
        return record["status"] if record else None

    def forget(self, stage: str, check: str) -> None:
        """Let a check be done again; its lines stay in the file."""
        self.records.pop((stage, check), None)

    def add(self, stage: str, check: str, status: str = OK, **rest: Any) -> None:
        """Write a line and print it in short."""
        record = {"stage": stage, "check": check, "status": status, **rest}
        record.setdefault("facts", {})
        self.records[stage, check] = record
        append_line(self.path, record)
        print(shorten(record), flush=True)

    def run(
        self, stage: str, check: str, work: Callable[[], Any], stop_at: float
    ) -> dict[str, Any] | None:
        """Do a check unless it is done, and write how it ended.

        Parameters
        ----------
        work : callable
            Returns what there is to say of the check, a dict, or raises.
        stop_at : float
            Moment, of ``time.monotonic``, at which the check is broken off.

        Returns
        -------
        dict or None
            What the check had to say, now or in an earlier run; None if it failed.
        """
        if self.get(stage, check) is not None:
            return self.get(stage, check)
        start = time.monotonic()
        status, rest = OK, {}
        try:
            with limited(stop_at - start):
                rest = {"facts": work() or {}}
        except TimeUpError:
            status, rest = SKIPPED, {"error": "no time left: run the command again"}
        except Exception as error:
            status, rest = FAILED, {"error": describe_error(error)}
        seconds = round(time.monotonic() - start, 2)
        self.add(stage, check, status, seconds=seconds, **rest)
        return self.get(stage, check)

    def count(self, status: str) -> int:
        """Return how many checks ended so when they were last tried."""
        return sum(record["status"] == status for record in self.records.values())


def describe_error(error: BaseException) -> str:
    """Return the last lines of a traceback."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(lines[-_LAST_LINES:])


def shorten(record: dict[str, Any]) -> str:
    """Return a record as one line of text."""
    numbers = ", ".join(
        f"{name} {value:.4g}"
        for name, value in record["facts"].items()
        if isinstance(value, int | float)
    )
    error = record.get("error", "").splitlines()[-1:]
    parts = [record["stage"], record["check"], record["status"], numbers, *error]
    return " | ".join(part for part in parts if part)


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Add a whole line to a file, and see to it that it is on the disk."""
    line = json.dumps(record, sort_keys=True).encode() + b"\n"
    with open(path, "ab+") as file:
        file.write(line if ends_line(file) else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file; a line that a broken write left torn is none."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``TimeUpError`` in the block when it has taken some seconds.

    It is raised between two steps of the interpreter; a timer that was running goes on
    afterwards. Outside the main thread, and where there are no such timers, a block is
    only refused when there is no time at its start.
    """
    if seconds <= 0:
        raise TimeUpError
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield
        return
    start = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, min(seconds, 1e8))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            rest = max(1e-3, left - (time.monotonic() - start))
            signal.setitimer(signal.ITIMER_REAL, rest)


def _ring(*_: Any) -> None:
    raise TimeUpError
