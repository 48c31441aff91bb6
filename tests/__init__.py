"""The tests: each name or docstring is the sentence it checks."""
