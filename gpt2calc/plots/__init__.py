"""Pictures of where the parameters sit, as figures of matplotlib and as bars in a terminal."""
