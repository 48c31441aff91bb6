"""From a number of parameters to the shapes that have it."""
