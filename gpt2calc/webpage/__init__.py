"""The what-if page: one file of HTML, that computes by Python's own functions, translated."""
