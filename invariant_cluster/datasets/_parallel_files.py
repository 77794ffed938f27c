"""A function of chunks of files, in one process or in several."""

from __future__ import annotations

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from numbers import Integral
from typing import TypeVar

from joblib import Parallel, delayed, effective_n_jobs
from threadpoolctl import threadpool_limits

from invariant_cluster.progress import open_bar

File = TypeVar("File")
Result = TypeVar("Result")
# Small files are decoded in Python for the most part, which threads do not share. Where
# processes cannot fork, each starts by importing the package, which takes seconds.
_FEWEST_TO_FORK = 256
_FEWEST_TO_START = 20_000
_MOST_IN_CHUNK = 256
_CHUNKS_OF_JOB = 8
_MOST_BYTES = 2**24  # of a chunk's squares, as float32


def files_at_a_time(size: int) -> int:
    """Return the number of files whose squares are held beside the whole array.

    Parameters
    ----------
    size : int
        Side of the squares in pixels.

    Returns
    -------
    int
        256, or as many as take 16 MiB; at least 1.
    """
    return max(1, min(_MOST_IN_CHUNK, _MOST_BYTES // (4 * size**2)))


def check_jobs(n_jobs: object) -> int | None:
    """Return a number of jobs that joblib understands.

    Parameters
    ----------
    n_jobs : int or None
        Number of jobs; -1 is one per processor.

    Returns
    -------
    int or None
        The number.

    Raises
    ------
    ValueError
        If it is 0 or no whole number.
    """
    if n_jobs is None:
        return None
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise ValueError(
            f"n_jobs={n_jobs!r} is no number of jobs: give a whole number from 1, or "
            "-1 for one per processor."
        )
    return int(n_jobs)


def map_files(
    function: Callable[[Sequence[File]], Result],
    paths: Sequence[File],
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
    most: int = _MOST_IN_CHUNK,
) -> Iterator[Result]:
    """Yield a function's results of chunks of files, in their order.

    Parameters
    ----------
    function : callable
        Takes a list of paths; it and its results can be pickled.
    paths : sequence of path-like
        The files.
    n_jobs : int, optional
        Number of processes or threads, as joblib takes it: None is 1 unless
        ``joblib.parallel_config`` says otherwise, and -1 is one per processor.
    verbose : int, default=0
        Whether to show a bar.
    most : int, default=256
        Maximum number of files in a chunk.

    Yields
    ------
    Any
        Result of each chunk.

    Notes
    -----
    Few files are read by threads, many by processes: forked ones on Linux, as data
    loaders of PyTorch are, and on other systems new ones of joblib.
    """
    jobs = effective_n_jobs(check_jobs(n_jobs))
    chunks = _split(paths, jobs, most)
    with open_bar(len(paths), "read", unit="file", shown=verbose > 0, delay=1) as bar:
        results = _map_chunks(function, chunks, len(paths), jobs)
        for chunk, result in zip(chunks, results, strict=True):
            bar.update(len(chunk))
            yield result


def _split(paths: Sequence[File], jobs: int, most: int) -> list[Sequence[File]]:
    """Return chunks of consecutive files: several for each job."""
    length = -(-len(paths) // (jobs * _CHUNKS_OF_JOB))
    length = max(1, min(most, length))
    return [paths[start : start + length] for start in range(0, len(paths), length)]


def _map_chunks(
    function: Callable[[Sequence[File]], Result],
    chunks: list[Sequence[File]],
    n_files: int,
    jobs: int,
) -> Iterator[Result]:
    """Yield the results in order, by what suits the number of files."""
    if jobs == 1:
        yield from map(function, chunks)
        return
    forks = sys.platform == "linux"
    if not forks and n_files >= _FEWEST_TO_START:
        yield from Parallel(jobs, return_as="generator")(
            delayed(function)(chunk) for chunk in chunks
        )
        return
    make = _fork if forks and n_files >= _FEWEST_TO_FORK else ThreadPoolExecutor
    with make(jobs) as executor:
        yield from _submit(executor, function, chunks)


def _submit(
    executor: Executor,
    function: Callable[[Sequence[File]], Result],
    chunks: list[Sequence[File]],
) -> Iterator[Result]:
    """Start all chunks and return their results in order.

    Python 3.12 and newer warn of forks beside threads. The new processes only read
    files and multiply matrices on one thread, without torch.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)
        return executor.map(function, chunks)


def _fork(jobs: int) -> Executor:
    """Return forked processes that compute on one thread each."""
    return ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("fork"),
        initializer=partial(threadpool_limits, 1),
    )
