"""The oracle: a frozen commit of this repository and the tree as it is, asked the same, and every difference listed.

`python -m tests.oracle` builds the wheel of the frozen commit, asks both sides tens of thousands of questions, and ends
with 1 where an answer differs and `explained.toml` does not say why.
"""
