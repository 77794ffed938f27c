"""
===================
On the command line
===================

``invariant-cluster`` clusters a folder of images without a line of Python. This example
runs the commands as a terminal would and shows the files that they write. Install the
program with ``pip install "invariant-cluster[cli]"``.
"""

# %%
# A folder of images
# ------------------
# 400 of the bundled digits, each at a random angle and place, as PNG files; 40 others
# come a week later.
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image

from invariant_cluster.datasets import load_oriented_digits

temporary = tempfile.TemporaryDirectory()
work = Path(temporary.name)
digits = load_oriented_digits(size=28, translation_std=0.05).images
for name, part in {"scans": digits[:400], "next_week": digits[400:440]}.items():
    (work / name).mkdir()
    for number, image in enumerate(part):
        Image.fromarray(image).save(work / name / f"scan_{number:03d}.png")


def run(*words: str) -> None:
    """Run the program as a terminal would, and print what it says, without bars."""
    print("$ invariant-cluster", *words)
    done = subprocess.run(
        [sys.executable, "-m", "invariant_cluster", *words],
        cwd=work,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(*(line for line in done.stdout.splitlines() if "%|" not in line), sep="\n")


# %%
# Fit
# ---
# ``--features scattering`` trains no embedder, so that this takes seconds; without it
# a network is trained for some minutes.
run("fit", "scans", "-k", "10", "--out", "run", "--features", "scattering")

# %%
# What it wrote
# -------------
# ``labels.csv`` opens in any spreadsheet, ``report.html`` in any browser, and
# ``model.safetensors`` is the fitted model, which ``load_model`` reads too.
for path in sorted((work / "run").iterdir()):
    print(f"{path.name:20} {path.stat().st_size / 1024:8.0f} KiB")

# %%
table = pd.read_csv(work / "run" / "labels.csv")
print(table.head(6).to_string(index=False, float_format="{:.2f}".format))

# %%
# New files
# ---------
# ``predict`` reads new files as ``fit`` did, and warns if they are unlike the first.
run("predict", "run", "next_week", "--out", "next_week.csv")
new = pd.read_csv(work / "next_week.csv")
print(new.head(4).to_string(index=False, float_format="{:.2f}".format))

# %%
# A picture from the table
# ------------------------
# Everything is in plain files, so any tool can go on: here the most confident scans of
# each cluster.
figure, axes = plt.subplots(10, 10, figsize=(6.5, 6.5), layout="constrained")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
    ax.set_frame_on(False)
best = table.sort_values("confidence", ascending=False).groupby("cluster").head(10)
for row, (cluster, files) in zip(axes, best.groupby("cluster")["file"], strict=False):
    row[0].set_ylabel(cluster, rotation=0, ha="right", va="center")
    for ax, file in zip(row, files, strict=False):
        ax.imshow(Image.open(work / "scans" / file), cmap="gray")
plt.show()
temporary.cleanup()

# %%
# Conclusion
# ----------
# ``invariant-cluster fit --help`` explains all options, and :doc:`/user_guide/files`
# all files.
