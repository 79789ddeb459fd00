"""Measurements against other ways of doing the same, run by hand: ratios in one run, never a limit in a test."""

import warnings

warnings.filterwarnings("ignore", "Print area", UserWarning)  # openpyxl does not read one that is a formula
