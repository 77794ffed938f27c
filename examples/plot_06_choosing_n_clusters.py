"""
===================================
Choosing n_clusters without classes
===================================

``n_clusters="auto"`` chooses a number by one criterion, the last one below. Without
labels no accuracy tells how good it is. Other measurements show whether the clusters
are real: whether two halves of the images give the same clusters,
whether images keep their cluster when they are rotated, whether neighbours share a
cluster, whether the clusters are far apart, and whether there are valleys of density
between them. ``label_free_curve`` computes all five for each number of clusters.
"""

# %%
# An embedding
# ------------
# The data are 900 oriented digits of ten classes, which only the end of this example
# uses. The embedding does not depend on ``n_clusters``: an embedder that is fitted is
# used as it is.
import matplotlib.pyplot as plt
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.model_selection import label_free_curve, propose_value
from invariant_cluster.plot import LabelFreeCurveDisplay

images, classes = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
images, classes = images[:900], classes[:900]
embedder = IRLINREmbedder.light().set_params(encoder_width=8, random_state=0)
clusterer = SCANClusterer(fine_tune=False, max_epochs=20, random_state=0)
pipe = Pipeline([("embed", embedder.fit(images)), ("cluster", clusterer)])

# %%
# The table
# ---------
# The output has one column for each number of clusters. Criteria drift with the number,
# even on data without clusters. So they are also measured on such data, rows of one
# normal distribution; ``..._excess`` is the difference.
table = label_free_curve(
    pipe,
    images,
    param_name="cluster__n_clusters",
    param_range=[4, 6, 8, 10, 12, 16, 20],
    n_repeats=2,
    random_state=0,
)
print(table.filter(regex="^(?!.*_std$)").T.round(2).to_string())
print(propose_value(table).reason)

# %%
# The curves
# ----------
LabelFreeCurveDisplay.from_table(table)
plt.show()

# %%
# Comparison with the classes
# ---------------------------
# The adjusted Rand index measures the agreement of clusters and classes for each
# number. It does not reward a large number of clusters.
z = embedder.transform(images)
for n_clusters in table.index:
    labels = clusterer.set_params(n_clusters=n_clusters).fit_predict(z)
    print(f"{n_clusters:2d} clusters: {adjusted_rand_score(classes, labels):.2f}")

# %%
# Conclusion
# ----------
# ``propose_value`` uses the excess of the valley contrast. In our run the silhouette,
# ``propose_value(table, "silhouette")``, was highest at 16.
# Halves of the images agree about equally well at 12, 16 and 20. The agreement with the
# classes is highest at 12. So 4, 6 and 8 are too few, and no criterion counts classes:
# a rotated 6 and a 9 are one shape, and two ways of writing a 7 are two. Turning
# stability hardly changes over the range, and label agreement grows with every further
# cluster; their best values mean little here.
#
# Use the suggestion as a number to begin with: draw its clusters, and look at the
# clusters of the numbers next to it too.
