"""Measurements against other ways of doing the same, run by hand: ratios in one run, never a limit in a test."""
