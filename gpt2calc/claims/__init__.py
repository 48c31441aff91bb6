"""Claims that people publish about parameters: data in TOML, recomputed and judged. It meets no file of weights."""
