"""Years of charted runs coded from files into files: in parts, in little memory, to be stopped."""

from subq_toolkit.coded_files.progress import Progress
from subq_toolkit.coded_files.results import CodedFiles, read_coded_files
from subq_toolkit.coded_files.whole_run import code_files

__all__ = ["CodedFiles", "Progress", "code_files", "read_coded_files"]
