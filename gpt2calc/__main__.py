"""`python -m gpt2calc`, the same as the command `gpt2calc`."""

from gpt2calc.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
