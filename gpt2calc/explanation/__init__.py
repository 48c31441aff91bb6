"""From a printed figure to the ways of counting that give it."""
