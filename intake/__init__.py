"""What came back: returned files, read into submissions."""
