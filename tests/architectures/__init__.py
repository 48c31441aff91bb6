"""Every model type of `gpt2calc.architectures`, against its other derivation, transformers and what was released."""
