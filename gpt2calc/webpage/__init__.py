"""The what-if page: one file of HTML, whose arithmetic is data printed from the Python tables."""
