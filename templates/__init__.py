"""What we ask: the form, its template workbook and the round that sends it out."""
