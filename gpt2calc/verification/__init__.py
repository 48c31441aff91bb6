"""Verifying: what a checkpoint holds beside what its config says, from the target that a person names to the report."""
