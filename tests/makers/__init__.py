"""Makers of checkpoints: a file a format, each writes good files byte by byte, for tests, fuzzing and benchmarks."""
