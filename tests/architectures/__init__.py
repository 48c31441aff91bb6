"""Tests of architectures, over all that are counted."""
