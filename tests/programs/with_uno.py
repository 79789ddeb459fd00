"""Fill workbooks with LibreOffice itself: python with_uno.py PIPE BLANK CELLS SAVED ...

LibreOffice listens on the pipe already. Runs with the python that LibreOffice has: only that knows `uno`.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import uno

EPOCH = date(1899, 12, 30)  # day 0 of LibreOffice's calendar


def option(name: str, value: object) -> Any:  # noqa: ANN401 - a structure of LibreOffice's
    made = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    made.Name, made.Value = name, value
    return made


def desktop(pipe: str) -> Any:  # noqa: ANN401 - an object of LibreOffice's
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
    for _ in range(240):
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except Exception:  # noqa: BLE001 - of a type that is made while it runs: nobody listens yet
            time.sleep(0.25)
        else:
            return there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
    raise TimeoutError(pipe)


def fill(office: Any, blank: Path, cells: Path, saved: Path) -> None:  # noqa: ANN401
    document = office.loadComponentFromURL(blank.as_uri(), "_blank", 0, (option("Hidden", value=True),))
    document.enableAutomaticCalculation(False)  # noqa: FBT003 - LibreOffice knows no names of arguments
    for one in json.loads(cells.read_text(encoding="utf-8")):
        cell = document.Sheets.getByName(one["sheet"]).getCellRangeByName(one["cell"])
        if one["type"] == "text":
            cell.setString(one["value"])
        elif one["type"] == "date":
            cell.setValue((date.fromisoformat(one["value"]) - EPOCH).days)
        else:
            cell.setValue(float(one["value"]))
    document.calculateAll()
    document.storeToURL(saved.as_uri(), (option("FilterName", "Calc MS Excel 2007 XML"),))
    document.close(True)  # noqa: FBT003


def main() -> None:
    office = desktop(sys.argv[1])
    files = iter(Path(argument) for argument in sys.argv[2:])
    for blank, cells, saved in zip(files, files, files, strict=True):
        fill(office, blank, cells, saved)
    office.terminate()


main()
