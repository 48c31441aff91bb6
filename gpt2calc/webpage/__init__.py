"""The what-if page: one file of HTML, whose arithmetic is printed from the Python tables."""
