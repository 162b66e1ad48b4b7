"""Every number of the toolkit with its source, and every question on which sources disagree.

Nothing is stated here: the rows come from ``parameters/*.toml`` and from the published tables
in ``datasets/``, and a file that cannot be told in full is refused, never left out.
"""

from subq_toolkit.numbers_in_use.disagreements import contradictions
from subq_toolkit.numbers_in_use.every_number import number_summary, numbers_in_use

__all__ = ["contradictions", "number_summary", "numbers_in_use"]
