"""A room of formats: each file turns tables, or a dictionary, into text. Pure; a new format is a new file."""
