"""Fill workbooks with openpyxl: python with_openpyxl.py BLANK CELLS SAVED ..."""

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from openpyxl import load_workbook

VALUE: dict[str, Callable[[str], object]] = {"text": str, "number": float, "date": date.fromisoformat}

files = iter(sys.argv[1:])
for blank, cells, saved in zip(files, files, files, strict=True):
    workbook = load_workbook(blank)
    for one in json.loads(Path(cells).read_text(encoding="utf-8")):
        cell = workbook[one["sheet"]][one["cell"]]
        cell.value = VALUE[one["type"]](one["value"])
        if one["type"] == "text":
            cell.data_type = "s"  # or openpyxl would make a formula of what begins with =
    workbook.save(saved)
