"""The rule language: text, tree, names, kinds, and the formula that a tree becomes."""
