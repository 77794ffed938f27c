"""Report of clusters as one HTML file that opens in any browser without a network."""

from invariant_cluster.report._checks import import_extra
from invariant_cluster.report._cluster_report import cluster_report

__all__ = ["cluster_report", "import_extra"]
