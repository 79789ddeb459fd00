"""What staff take out of the register: workbooks, tables, lists."""
