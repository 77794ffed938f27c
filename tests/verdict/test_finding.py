"""A verdict is as bad as its worst finding, and tells it in words."""

import pytest

from invariant_cluster.verdict import LEVELS, Finding, Verdict

FINE = Finding("blank", "good", 0.0, 0.2, "0% of the images are blank.")
POOR = Finding(
    "range", "bad", 0.001, 0.02, "All is dark.", "One is bright.", "Mend it."
)
SO_SO = Finding("giant", "doubtful", 0.7, 0.65, "One is large.", "Is it?", "Look.")


@pytest.mark.parametrize(
    ("findings", "level"),
    [
        ((), "good"),
        ((FINE,), "good"),
        ((FINE, SO_SO), "doubtful"),
        ((SO_SO, POOR, FINE), "bad"),
    ],
)
def test_the_worst_finding_decides(findings, level):
    assert Verdict(findings).level == level


def test_each_level_has_a_headline_of_its_own():
    of_level = {"good": FINE, "doubtful": SO_SO, "bad": POOR}
    headlines = {Verdict((of_level[level],)).headline for level in LEVELS}
    assert len(headlines) == 3


def test_the_text_tells_troubles_with_cause_and_remedy_and_nothing_else():
    told = str(Verdict((POOR, SO_SO, FINE)))
    assert told.splitlines()[0].startswith("Verdict: bad. ")
    assert told.splitlines()[1:] == [
        "  bad: All is dark. One is bright. Mend it.",
        "  doubtful: One is large. Is it? Look.",
    ]


def test_the_table_has_a_row_for_every_check():
    table = Verdict((POOR, FINE)).table
    assert table.index.tolist() == ["range", "blank"]
    assert table.loc["range", ["level", "value", "limit"]].tolist() == [
        "bad",
        0.001,
        0.02,
    ]
    assert Verdict(()).table.columns.tolist() == ["level", "value", "limit", "told"]
