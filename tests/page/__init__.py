"""The what-if page in a real browser, and what prints it."""
