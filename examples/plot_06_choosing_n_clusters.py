"""
========================================
Choosing n_clusters when no one knows it
========================================

``n_clusters`` is yours to choose, and without labels there is no accuracy to choose it
by. What can be asked is whether the clusters are *there*: does the same number come out
the same on two halves of the images, do images keep their cluster when they are turned,
do neighbours share one, are the clusters apart? ``label_free_curve`` asks all four of
every number that you name.
"""

# %%
# An embedding
# ------------
# 900 oriented digits: ten classes, which the code below uses at the very end alone. The
# embedding does not depend on ``n_clusters``, so it is trained once, and frozen.
import matplotlib.pyplot as plt
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.model_selection import label_free_curve, suggest_value
from invariant_cluster.plot import LabelFreeCurveDisplay

images, classes = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
images, classes = images[:900], classes[:900]
embedder = IRLINREmbedder.light().set_params(encoder_width=4, random_state=0)
clusterer = SCANClusterer(fine_tune=False, max_epochs=20, random_state=0)
frozen = FrozenEstimator(embedder.fit(images))
pipe = Pipeline([("embed", frozen), ("cluster", clusterer)])

# %%
# The table
# ---------
# One column a number of clusters, as it is printed here. Criteria lean with the number
# also where there are no clusters at all, so each is measured on a shapeless cloud of
# rows too: ``..._excess`` is what the images have beyond that.
table = label_free_curve(
    pipe,
    images,
    param_name="cluster__n_clusters",
    param_range=[4, 6, 8, 10, 12, 16, 20],
    n_repeats=2,
    random_state=0,
)
print(table.filter(regex="^(?!.*_std$)").T.round(2).to_string())
print("suggested:", suggest_value(table))

# %%
# The curves
# ----------
LabelFreeCurveDisplay.from_table(table)
plt.show()

# %%
# With hindsight
# --------------
# How well do the clusters agree with the classes, for each number? The adjusted Rand
# index does not reward many clusters for being many.
z = embedder.transform(images)
for n_clusters in table.index:
    labels = clusterer.set_params(n_clusters=n_clusters).fit_predict(z)
    print(f"{n_clusters:2d} clusters: {adjusted_rand_score(classes, labels):.2f}")

# %%
# What it says
# ------------
# In our run ``suggest_value``, which goes by the silhouette beyond that of the cloud,
# named 16; halves of the images agree about as well on 12, 16 and 20; the agreement
# with the classes is highest at 12. So 4, 6 and 8 are too few, and no criterion counts
# classes: a 6 and a 9 that are turned are one shape, and two ways of writing a 7 are
# two. Turning stability hardly changes over the range, and label agreement gains by
# every further cluster; their marks mean little here.
#
# So take the suggestion for a number that is worth looking at, draw its clusters, and
# look at those of its neighbours too.
