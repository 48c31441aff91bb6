"""Many configs at once: a grid or a file of them, counted as columns."""
