"""Bars: shown where a user waits, if the work is long; few lines in a log file."""

import re
import threading
import time

import numpy as np
import pytest
import torch

from invariant_cluster import progress
from invariant_cluster.progress import (
    open_bar,
    progress_bar,
    progress_of,
    showing_progress,
    waiting,
)
from invariant_cluster.runtime import map_batches


@pytest.fixture(autouse=True)
def short_delays(monkeypatch):
    """A bar appears, and a clock ticks, after some hundredths of a second."""
    monkeypatch.setattr(progress, "_DELAY", 0.02)
    monkeypatch.setattr(progress, "_TICK", 0.02)


def work(n=5, *, seconds=0.02, **options):
    options = {"delay": 0.02, **options}
    with progress_bar(n, "work", **options) as advance:
        for _ in range(n):
            time.sleep(seconds)
            advance(1)


def test_nothing_is_shown_unless_a_user_waits(capsys):
    work()
    with waiting("rest"):
        time.sleep(0.05)
    assert capsys.readouterr() == ("", "")


def test_long_work_shows_a_bar_on_stderr(capsys):
    with showing_progress():
        work()
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"^work: 100%.* 5/5 ", err, re.M)


def test_short_work_shows_nothing(capsys, use_terminal):
    with showing_progress():
        work(seconds=0, delay=5)
        assert capsys.readouterr().err == ""
        terminal = use_terminal()
        work(seconds=0, delay=5)
    assert terminal.getvalue() == ""


def test_verbose_shows_a_bar_and_0_leaves_it_at_the_outer_block(capsys):
    work(verbose=1)
    assert "5/5" in capsys.readouterr().err
    with showing_progress(), showing_progress(0):
        work(verbose=0)
    assert "5/5" in capsys.readouterr().err
    with showing_progress(0):
        work()
    assert capsys.readouterr().err == ""


def test_what_was_said_ends_with_the_block_even_after_an_error(capsys):
    with (
        pytest.raises(ZeroDivisionError),
        showing_progress(),
        progress_of("task"),
        progress_bar(3, "work"),
    ):
        1 / 0  # noqa: B018
    work()
    assert "5/5" not in capsys.readouterr().err


def test_a_bar_inside_of_a_bar_is_hidden(capsys):
    with showing_progress(), progress_bar(2, "outer", delay=0) as advance:
        for _ in range(2):
            work(verbose=1)
            with waiting("inner"):
                time.sleep(0.05)
            advance(1)
    err = capsys.readouterr().err
    assert "outer" in err
    assert "work" not in err
    assert "inner" not in err


def test_titles_say_what_the_work_belongs_to(capsys):
    with showing_progress(), progress_of("report"), progress_of("copies"):
        work()
    assert "report: copies: work: 100%" in capsys.readouterr().err


def test_threads_that_a_block_starts_show_nothing(capsys):
    with showing_progress():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert capsys.readouterr().err == ""


def test_other_processes_of_a_training_show_nothing(capsys, monkeypatch):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    for rank, shown in [(1, False), (0, True)]:
        monkeypatch.setattr("torch.distributed.get_rank", lambda rank=rank: rank)
        with showing_progress():
            work()
        assert ("work" in capsys.readouterr().err) == shown


def test_units_that_were_done_before_count(capsys):
    with showing_progress(), progress_bar(9, "go on", initial=7, delay=0) as advance:
        advance(2)
    assert "9/9" in capsys.readouterr().err


def test_a_first_step_that_takes_long_is_told_in_a_terminal(use_terminal):
    terminal = use_terminal()
    with showing_progress(), progress_bar(2, "slow", delay=0.02):
        time.sleep(0.1)
        assert "slow:   0%" in terminal.getvalue()


def test_waiting_tells_how_long_it_takes(capsys, use_terminal):
    with showing_progress():
        with waiting("short"):
            pass
        with waiting("long"):
            time.sleep(0.06)
        assert re.fullmatch(r"long: 00:00\n", capsys.readouterr().err)
        terminal = use_terminal()
        with waiting("seen"):
            time.sleep(0.1)
    assert terminal.getvalue().count("seen: 00:00") >= 2
    assert terminal.getvalue().endswith("\n")


def test_waiting_passes_errors_on():
    with pytest.raises(ZeroDivisionError), showing_progress(), waiting("rest"):
        1 / 0  # noqa: B018


def test_hours_of_work_are_few_lines_of_a_log(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    with open_bar(36_000, "hours", unit="batch") as bar:
        for _ in range(36_000):
            now[0] += 1.0
            bar.set_postfix_str("loss 1")  # as often as it may
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert 15 < len(lines) < 40
    counts = [int(re.search(r" (\d+)/36000 ", line)[1]) for line in lines]
    assert counts[0] <= 3
    assert counts[-1] == 36_000
    assert counts == sorted(set(counts))
    assert not any("\r" in line for line in lines)


def test_a_message_leaves_the_lines_of_a_log(capsys):
    with open_bar(1, "bar", unit="batch") as bar:
        bar.write("a message")
        bar.update()
    out, err = capsys.readouterr()
    assert out == "a message\n"
    assert len(err.splitlines()) == 1


def test_map_batches_is_the_same_with_a_bar(capsys):
    rows = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)

    def double(batch):
        time.sleep(0.4)  # three batches take more than a second
        return 2 * batch

    def apply(**options):
        device = torch.device("cpu")
        return map_batches(double, rows, device=device, title="double", **options)

    quiet = apply()
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(apply(verbose=1), quiet)
    assert "double: 100%" in capsys.readouterr().err
