"""The live checks of a workbook: what is found while the owner writes, on the hidden sheet `_regler`."""
