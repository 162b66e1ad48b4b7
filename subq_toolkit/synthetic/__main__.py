"""Write the bundled sample again: ``python -m subq_toolkit.synthetic [FOLDER]``."""

import argparse
from pathlib import Path

from subq_toolkit.catalog import dataset
from subq_toolkit.synthetic import write_sample

parser = argparse.ArgumentParser(description=write_sample.__doc__)
parser.add_argument("folder", nargs="?", default=dataset("administrations"), type=Path)
print(write_sample(parser.parse_args().folder))
