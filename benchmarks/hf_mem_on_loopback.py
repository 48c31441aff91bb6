"""Run hf-mem on a hub that `verify.py` serves: `python hf_mem_on_loopback.py ADDRESS MODEL`.

hf-mem asks huggingface.co, whatever HF_ENDPOINT says. Here its requests to that host go to ADDRESS, and nothing else
changes. They go without encryption, which can only make it faster.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

HUB = "https://huggingface.co"


def main() -> int:
    """Change where requests go, and run hf-mem's command."""
    address, model = sys.argv[1:]
    client = import_module("httpx2").AsyncClient
    build = client.build_request

    def redirected(self: Any, **settings: Any) -> Any:
        return build(self, **{**settings, "url": str(settings["url"]).replace(HUB, address, 1)})

    client.build_request = redirected
    sys.argv[1:] = ["--model-id", model]
    import_module("hf_mem.cli").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
