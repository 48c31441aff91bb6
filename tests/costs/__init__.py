"""What a model costs: the laws proved with letters, and held against torch and against what was measured before."""
