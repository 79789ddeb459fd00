"""Fill workbooks with excelize, the Go library as built for Python: python with_excelize.py BLANK CELLS SAVED ..."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import excelize

VALUE: dict[str, Callable[[str], object]] = {"text": str, "number": float, "date": datetime.fromisoformat}

files = iter(sys.argv[1:])
for blank, cells, saved in zip(files, files, files, strict=True):
    workbook = excelize.open_file(blank)
    for one in json.loads(Path(cells).read_text(encoding="utf-8")):
        workbook.set_cell_value(one["sheet"], one["cell"], VALUE[one["type"]](one["value"]))
    workbook.save_as(saved)
    workbook.close()
