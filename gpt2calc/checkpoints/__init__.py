"""Checkpoints: a file a format, each from bytes to a `TensorListing`. The only room that meets files, and the hub.

A reader reads headers and no weights, believes nothing that a header says before it is checked, and spends time and
memory in proportion to the header. What is wrong ends in an `UnreadableInputError`: one sentence that names the file,
what was expected and what was got.
"""
