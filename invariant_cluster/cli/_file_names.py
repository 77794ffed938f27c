"""Names of the files that the command line writes."""

LABELS, MODEL, REPORT = "labels.csv", "model.safetensors", "report.html"
SKIPPED = "skipped.csv"
