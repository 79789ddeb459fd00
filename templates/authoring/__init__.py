"""What the author of a form works with: a workbook to write it in, pictures, lists, what has changed."""
