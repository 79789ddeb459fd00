"""Fill workbooks with pandas: python with_pandas.py BLANK CELLS SAVED ...

pandas knows values only: it copies each sheet as a table of values.
"""

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

VALUE: dict[str, Callable[[str], object]] = {
    "text": str,
    "number": float,
    "date": lambda text: pd.Timestamp(date.fromisoformat(text)),
}

files = iter(sys.argv[1:])
for blank, cells, saved in zip(files, files, files, strict=True):
    sheets = pd.read_excel(blank, sheet_name=None, header=None, dtype=object, keep_default_na=False)
    for one in json.loads(Path(cells).read_text(encoding="utf-8")):
        column, row = coordinate_from_string(one["cell"])
        spot = row - 1, column_index_from_string(column) - 1
        table = sheets[one["sheet"]]
        rows, columns = (range(max(size, place + 1)) for size, place in zip(table.shape, spot, strict=True))
        table = table.reindex(index=rows, columns=columns, fill_value="")
        table.iloc[spot] = VALUE[one["type"]](one["value"])
        sheets[one["sheet"]] = table
    with pd.ExcelWriter(saved) as writer:
        for name, table in sheets.items():
            table.to_excel(writer, sheet_name=name, header=False, index=False)
