"""Laws that hold for every model, tried on random ones; each test class quotes the law it checks."""
