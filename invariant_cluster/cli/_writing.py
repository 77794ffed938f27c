"""Training, and the files that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from invariant_cluster import check_fit, cluster_report, save_model
from invariant_cluster.cli._file_names import LABELS, MODEL, REPORT, SKIPPED
from invariant_cluster.cli._inputs import NamedImages
from invariant_cluster.cli._outputs import (
    describe_choice,
    describe_clusters,
    label_images,
    write_table,
)
from invariant_cluster.cli._plan import describe_plan
from invariant_cluster.cli._speech import say
from invariant_cluster.cli._verdict import tell_verdict
from invariant_cluster.images import CHANNEL_COUNTS
from invariant_cluster.readers import name_as_text
from invariant_cluster.training import current_team
from invariant_cluster.verdict import Verdict


def write_skipped(skipped: Any, path: Path | None) -> None:
    """Write which files were left out, and say so; print them without a path."""
    if skipped is None or not len(skipped):
        if path is not None:  # of an earlier run, which may be replaced
            path.unlink(missing_ok=True)
        return
    say(f"Left out files that cannot be read: {len(skipped):,}.")
    table = skipped.assign(file=skipped.file.map(name_as_text))
    if path is None:
        say("\n".join(f"  {file}: {why}" for file, why in table.to_numpy()))
    else:
        write_table(table, path)
        say(f"Wrote {path}.")


def fit_and_write(
    pipe: Pipeline, given: NamedImages, folder: Path, *, degrees: bool = False
) -> Any:
    """Train, write the model, the labels and the report, and return the labels.

    Of several processes, the first one writes; the others return None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    say(describe_plan(pipe))
    pipe.fit(given.images)
    if not current_team().is_first:
        return None
    save_model(pipe, folder / MODEL, reading=given.reading)
    say(f"Wrote {folder / MODEL}.")
    table = label_images(pipe, given, degrees=degrees)
    write_table(table, folder / LABELS)
    say(f"Wrote {folder / LABELS}.")
    write_skipped(given.skipped, folder / SKIPPED)
    say(f"\n{describe_clusters(table, pipe[-1].n_clusters_)}\n")
    verdict = check_fit(pipe, given.images, names=given.names)
    n_channels = pipe[0].layout_.channels_first_shape[0]
    if n_channels in CHANNEL_COUNTS:
        write_report(pipe, given, folder / REPORT, verdict)
    else:
        say(f"No report: it cannot show images of {n_channels} channels (--channels).")
    if pipe[-1].choice_ is not None:
        say(describe_choice(pipe[-1].choice_))
    tell_verdict(verdict)
    return table


def write_report(
    pipe: Pipeline,
    given: NamedImages,
    path: Path,
    verdict: Verdict | str = "auto",
) -> None:
    """Write the report and print its path."""
    cluster_report(pipe, given.images, path=path, names=given.names, verdict=verdict)
    say(f"Wrote {path}: open it in a browser.")
