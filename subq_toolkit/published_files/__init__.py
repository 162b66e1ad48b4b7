"""Use a file as it was published: next year's CMS table, or a hospital's standard charges.

Each reader says what it recognised, what it kept and what it left out, with counts. The day a
file holds from is read from its own words or stated, never assumed, and a column of
descriptors is never kept.
"""

from subq_toolkit.published_files.cms_files import CmsFile, read_cms_file
from subq_toolkit.published_files.contract_tables import contract_table
from subq_toolkit.published_files.price_files import PriceFile, read_price_file
from subq_toolkit.published_files.updates import with_cms_file

__all__ = [
    "CmsFile",
    "PriceFile",
    "contract_table",
    "read_cms_file",
    "read_price_file",
    "with_cms_file",
]
