"""What a GPT-2 costs: the laws of FLOPs, caches, optimizers and activations, a table each, and what they give."""
