"""Write the bundled chart and its charges again: ``python -m subq_toolkit.synthetic [FOLDER]``."""

import argparse
from pathlib import Path

from subq_toolkit.catalog import dataset
from subq_toolkit.synthetic import write_sample
from subq_toolkit.synthetic.charges import write_charges

parser = argparse.ArgumentParser(description="Write the bundled invented samples again.")
parser.add_argument("folder", nargs="?", type=Path, help="the bundled folders by default")
folder = parser.parse_args().folder
print(write_sample(folder or dataset("administrations")))
print(write_charges(folder or dataset("charges")))
