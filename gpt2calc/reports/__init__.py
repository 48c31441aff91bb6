"""A room of formats: each file turns tables, or a dictionary, into text that can be printed. Pure; a new format is a file."""
