"""A report of clusters that opens in any browser: one file, no network."""

from ._cluster_report import cluster_report

__all__ = ["cluster_report"]
