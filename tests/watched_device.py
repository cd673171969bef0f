"""A device without data: it cannot be waited for, so whatever would wait is found."""

from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
# These launch no kernel.
VIEWS = {
    "_unsafe_view", "alias", "as_strided", "detach", "empty", "empty_like", "expand", "permute",
    "select", "slice", "split", "squeeze", "t", "transpose", "unsqueeze", "view",
}  # fmt: skip


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes blocking copies to the meta device, and counts the kernels launched on it.

    Reading a value back from it fails by itself. A CPU tensor of one number may meet one of the
    device, as on CUDA: it is passed as an argument of the kernel. Linear algebra waits on CUDA, to
    read back whether it succeeded.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waits: list[str] = []
        self.kernels = Counter[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._can_decompose():
            with self:
                return func.decompose(*args, **(kwargs or {}))
        result = func(*args, **(kwargs or {}))
        given, made = (
            [each for each in tree_leaves(tree) if isinstance(each, Tensor)]
            for tree in ((args, kwargs), result)
        )
        name = func._schema.name.removeprefix("aten::")
        on_device = any(each.is_meta for each in given)
        assert not on_device or all(each.is_meta or not each.dim() for each in given), (
            f"tensors of two devices meet in {name}"
        )
        moved = bool(given) and not on_device and any(each.is_meta for each in made)
        asynchronous = any(each is True for each in [(kwargs or {}).get("non_blocking"), *args])
        if (moved and not asynchronous) or (on_device and name.startswith("linalg_")):
            self.waits.append(name)
        if any(each.is_meta for each in made) and name not in VIEWS:
            self.kernels[name] += 1
        return result
