"""What torch and transformers say of a cost: a model really built, counted, trained for a step and generated with.

The only file here that imports them, inside its functions. Nothing is computed by a law: it gives what torch's counter,
autograd's hooks, the storages of a real cache and of a real optimizer, and a walk over fake tensors give.
"""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gpt2calc.costs import kernels
from gpt2calc.costs.settings import LAST
from gpt2calc.dims import to_fields
from gpt2calc.errors import ConfigError, install, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpt2calc.costs.settings import Settings
    from gpt2calc.dims import Dims

EXTRA = f"torch and transformers: {install('weights')}"
MOST_PARAMETERS = 2 * 10**9
"""Larger models are not built with values, which would take 8 GB and more."""

SCORES = ("attn", "crossattention")
"""Modules that do products without weights, two each."""


def _guests() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError:
        raise ConfigError(f"measuring needs {EXTRA}") from None
    return torch, transformers


class Bench:
    """A model of transformers, built to be measured.

    Args:
        dims: its sizes and structure.
        settings: what is asked of it.

    Raises:
        ConfigError: torch or transformers is missing, or transformers has no such model.
    """

    def __init__(self, dims: Dims, settings: Settings) -> None:
        self.torch, self.transformers = _guests()
        self.transformers.utils.logging.set_verbosity_error()
        self.dims, self.settings = dims, settings
        if not (dims.bias and dims.qkv_bias and dims.ln_f):
            raise ConfigError("transformers has no GPT-2 without biases, or without ln_f: there is nothing to measure")

    def _model(self, device: str = "cpu", *, dtype: Any = None) -> Any:
        """Build the model, with random weights, or none on meta."""
        asked, torch = self.settings, self.torch
        fields = to_fields(self.dims)
        word = fields.pop("head")
        head = next(name for name, meant in _classes().items() if meant == word)
        attention, residual, embedding = asked.dropout
        left = ("bias", "qkv_bias", "ln_f")
        config = self.transformers.GPT2Config(
            **{name: value for name, value in fields.items() if name not in left},
            n_head=asked.n_head or 1,
            activation_function=asked.activation,
            attn_pdrop=attention,
            resid_pdrop=residual,
            embd_pdrop=embedding,
            bos_token_id=0,
            eos_token_id=None,
            pad_token_id=0,
        )
        if device != "meta" and self.dims.n_layer * self.dims.n_embd**2 * 12 > MOST_PARAMETERS:
            raise ConfigError("a model of more than 2,000,000,000 parameters is not built with values to be measured")
        if asked.activation not in self.transformers.activations.ACT2FN:
            problem = f"transformers has no activation_function {shown(asked.activation)}, and none is measured"
            raise ConfigError(problem, field="activation_function", got=asked.activation)
        kind = getattr(self.transformers, head)
        with torch.device(device):
            # `_from_config` is how transformers is told of attention
            return kind._from_config(config, attn_implementation=asked.attention, dtype=dtype or self._dtype())  # noqa: SLF001

    def _dtype(self) -> Any:
        torch = self.torch
        return {kernels.BF16: torch.bfloat16, kernels.FP16: torch.float16}.get(self.settings.dtype, torch.float32)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute in bfloat16 where that is asked for."""
        is_mixed = self.settings.dtype == kernels.AUTOCAST
        with self.torch.autocast("cpu", dtype=self.torch.bfloat16, enabled=is_mixed):
            yield

    def _trained(self, model: Any) -> Any:
        model.train()
        if self.settings.checkpoint != kernels.NO_CHECKPOINT:
            reentrant = self.settings.checkpoint == kernels.REENTRANT
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": reentrant})
        return model

    def _ids(self, device: str = "cpu", length: int | None = None) -> Any:
        shape = self.settings.batch, length or self.settings.seq
        return self.torch.zeros(shape, dtype=self.torch.long, device=device)

    def _loss(self, model: Any, ids: Any, **more: Any) -> Any:
        """Return a loss that every output of the model has a part in."""
        labelled = bool(self.dims.lm_head) and not self.dims.multiple_choice_head
        out = model(ids, use_cache=False, **({"labels": ids} if labelled else {}), **more)
        if labelled:
            return out.loss
        names = ("last_hidden_state", "logits", "mc_logits", "start_logits", "end_logits")
        return sum(value.sum() for name in names if (value := getattr(out, name, None)) is not None)

    def _encoded(self, device: str = "cpu") -> dict[str, Any]:
        """Return what an encoder gave, where the model reads one."""
        if not self.dims.add_cross_attention:
            return {}
        shape = self.settings.batch, self.settings.source, self.dims.n_embd
        dtype = self.torch.float32 if device == "meta" else self._dtype()
        return {"encoder_hidden_states": self.torch.zeros(shape, dtype=dtype, device=device)}

    def flops(self, *, training: bool = False) -> dict[str, int]:
        """Return what FlopCounterMode counts on meta: the total under "", and each module's of the blocks and heads.

        A module's own products without weights are what is left of it: "attn", "crossattention".
        """
        from torch.utils.flop_counter import FlopCounterMode

        torch, asked, dims = self.torch, self.settings, self.dims
        model = self._model("meta", dtype=torch.float32)
        ids, S, K = self._ids("meta"), asked.seq, asked.past + asked.seq
        # a 4-D mask, since a 2-D one is looked into, and meta has no values
        more: dict[str, Any] = {"attention_mask": torch.zeros(asked.batch, 1, S, K, device="meta")}
        more |= self._encoded("meta")
        if dims.score:
            model.config.pad_token_id = None if asked.batch == 1 else 0
        counter = FlopCounterMode(display=False)
        if training:
            self._trained(model)
            with counter:
                self._loss(model, ids, **more).backward()
        else:
            model.eval()
            if dims.lm_head and not dims.multiple_choice_head and asked.logits == LAST:
                more["logits_to_keep"] = 1
            if asked.past:
                more["past_key_values"] = self._filled()
            with counter, torch.no_grad():
                model(ids, use_cache=bool(asked.past), **more)
        return _by_component(counter)

    def _filled(self) -> Any:
        """Return a cache on meta that has the tokens of the past."""
        asked, dims, torch = self.settings, self.dims, self.torch
        cache = self.transformers.DynamicCache()
        heads = asked.n_head or 1
        shape = (asked.batch, heads, asked.past, dims.n_embd // heads)
        for block in range(dims.n_layer):
            cache.update(torch.zeros(shape, device="meta"), torch.zeros(shape, device="meta"), block)
        return cache

    def cache_bytes(self) -> int:
        """Return the bytes of every storage of a cache after a real generate()."""
        asked = self.settings
        model = self._model().eval()
        prompt, new = (asked.past + asked.seq, 1) if asked.prompt is None else (asked.prompt, asked.new or 1)
        more = {}
        if asked.cache == "static":
            cache = self.transformers.StaticCache(config=model.config, max_cache_len=asked.max_cache_len)
            more["past_key_values"] = cache
        with self.torch.no_grad(), self._computing():
            made = model.generate(
                self._ids(length=prompt),
                attention_mask=self._ids(length=prompt) + 1,
                max_new_tokens=new,
                min_new_tokens=new,
                do_sample=False,
                return_dict_in_generate=True,
                **more,
            )
        layers = made.past_key_values.layers
        return sum(_storages(each for layer in layers for each in (layer.keys, layer.values)).values())

    def step(self) -> dict[str, int]:
        """Return the bytes of a real step: what autograd keeps after forward, gradients, and the optimizer's state."""
        model, ids = self._trained(self._model()), self._ids()
        own, seen = set(_storages(model.parameters())), dict[int, Any]()

        def pack(tensor: Any) -> Any:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:  # noqa: SLF001  # the storage itself, whatever views it
                seen[storage._cdata] = storage  # noqa: SLF001
            return tensor

        with self.torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), self._computing():
            loss = self._loss(model, ids, **self._encoded())
        found = {"activations": sum(storage.nbytes() for storage in seen.values())}
        seen.clear()
        loss.backward()
        found["gradients"] = sum(_storages(each.grad for each in model.parameters() if each.grad is not None).values())
        if self.settings.optimizer is not None:
            optimizer = self._optimizer(model)
            optimizer.step()
            found["optimizer"] = sum(_storages(_tensors(dict(optimizer.state))).values())
        return found

    def _optimizer(self, model: Any) -> Any:
        optim, parameters = self.torch.optim, list(model.parameters())
        made = {
            "adamw": lambda: optim.AdamW(parameters),
            "adamw_fused": lambda: optim.AdamW(parameters, fused=True),
            "adamw_amsgrad": lambda: optim.AdamW(parameters, amsgrad=True),
            "sgd": lambda: optim.SGD(parameters, lr=1e-3),
            "sgd_momentum": lambda: optim.SGD(parameters, lr=1e-3, momentum=0.9),
            "adagrad": lambda: optim.Adagrad(parameters),
            "rmsprop": lambda: optim.RMSprop(parameters),
            "adafactor": lambda: optim.Adafactor(parameters),
            "muon": lambda: optim.Muon([each for each in parameters if each.ndim == 2]),
        }
        return made[self.settings.optimizer or "sgd"]()

    def peak(self) -> int:
        """Return the highest sum of live storages in a step after the first, by a walk over fake tensors.

        Parameters and the optimizer's state count, as what is there all the time; ids do as well.
        """
        from torch._subclasses.fake_tensor import FakeTensorMode

        with FakeTensorMode(allow_non_fake_inputs=True):
            model, ids = self._trained(self._model()), self._ids()
            optimizer = self._optimizer(model) if self.settings.optimizer else None
            more = {}
            if self.settings.attention == kernels.SDPA:  # for which transformers makes none, except in a walk
                S = self.settings.seq
                more["attention_mask"] = self.torch.zeros(self.settings.batch, 1, S, S)
            walk = _walk(self.torch)
            for _ in range(2):
                held = [*model.parameters(), ids, *_tensors(dict(optimizer.state) if optimizer else {})]
                there = _storages(held)
                with walk({*there, *_storages([*more.values(), *model.buffers()])}) as walked, self._computing():
                    loss = self._loss(model, ids, **more)
                    loss.backward()
                    if optimizer is not None:
                        optimizer.step()
                    model.zero_grad(set_to_none=True)
                    del loss
        return int(walked.highest) + sum(there.values())


def _classes() -> dict[str, str]:
    from gpt2calc.fields import CLASSES

    return CLASSES


def _walk(torch: Any) -> Any:
    """Return a dispatch mode that adds up the storages that are alive, apart from those that it is told of."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Walk(TorchDispatchMode):  # type: ignore[no-untyped-call]  # as it is in torch
        def __init__(self, known: set[int]) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.known, self.alive, self.now, self.highest = known, dict[int, int](), 0, 0

        def __torch_dispatch__(self, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(out):
                if torch.is_tensor(tensor):
                    self.born(tensor.untyped_storage())
            return out

        def born(self, storage: Any) -> None:
            key = storage._cdata  # noqa: SLF001
            if key in self.known or key in self.alive:
                return
            self.alive[key] = storage.nbytes()
            self.now += self.alive[key]
            self.highest = max(self.highest, self.now)
            weakref.finalize(storage, self.gone, key)

        def gone(self, key: int) -> None:
            self.now -= self.alive.pop(key, 0)

    return Walk


def _storages(tensors: Iterable[Any]) -> dict[int, int]:
    """Return the bytes of each storage, once."""
    found = {}
    for tensor in tensors:
        storage = tensor.untyped_storage()
        found[storage._cdata] = storage.nbytes()  # noqa: SLF001
    return found


def _tensors(held: Any) -> Iterator[Any]:
    """Yield every tensor within dictionaries and lists."""
    if hasattr(held, "untyped_storage"):
        yield held
    elif isinstance(held, dict):
        for each in held.values():
            yield from _tensors(each)
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from _tensors(each)


def _by_component(counter: Any) -> dict[str, int]:
    """Return what a counter found, under the names that components have."""
    found = {"": int(counter.get_total_flops())}
    for path, counts in counter.get_flop_counts().items():
        module = path.partition(".")[2].removeprefix("transformer.")
        if module.startswith("h."):
            module = module.split(".", 2)[-1]
        elif path == "Global" or module in {"", "transformer", "h"}:
            continue
        found[module] = found.get(module, 0) + sum(counts.values())
    for module in SCORES:
        parts = ("c_attn", "q_attn", "c_proj")
        if module in found:
            found[module] -= sum(found.get(f"{module}.{part}", 0) for part in parts)
    return found
