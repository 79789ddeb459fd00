"""The workbook that goes back: the owner's own answers, with a mark on what is to be corrected."""
