"""The files of a checkpoint, and which of several weight formats to load; imports no torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

WEIGHT_FILE = re.compile(
    r"(?:diffusion_pytorch_model|pytorch_model|model)"
    r"(?:\.fp16)?(?:-\d+-of-\d+)?(?:\.fp16)?\.(?P<format>safetensors|bin)"
)


@dataclass(frozen=True)
class Layout:
    """A kind of checkpoint folder: the files it must have, and the flag that names it.

    `parts` are the subfolders with weights ("" is the folder itself), `configs` the required
    files without weights. One of the file groups of `vocabulary` is enough, and one of `one_of`.
    """

    flag: str
    form: str
    parts: tuple[str, ...]
    configs: tuple[str, ...]
    vocabulary: tuple[tuple[str, ...], ...]
    one_of: tuple[str, ...] = ()

    def missing(self, files: Sequence[str]) -> list[str]:
        """Return what is missing from a listing of files, in words."""
        present = set(files)
        absent = [name for name in self.configs if name not in present]
        if self.one_of and present.isdisjoint(self.one_of):
            absent.append(self.one_of[0])
        if not any(present.issuperset(names) for names in self.vocabulary):
            absent.append(" + ".join(self.vocabulary[0]))
        variant = self.variant(files, half=False)
        absent += [
            f"weights in {part}/" if part else "weights"
            for part in self.parts
            if not _weights(files, part, variant)
        ]
        return absent

    def variant(self, files: Sequence[str], *, half: bool) -> str | None:
        """Return the weights' variant to load: "fp16" if wanted and complete, or the only one."""
        has_half = all(_weights(files, part, "fp16") for part in self.parts)
        has_full = all(_weights(files, part, None) for part in self.parts)
        return "fp16" if self.parts and has_half and (half or not has_full) else None

    def select(self, files: Sequence[str], variant: str | None) -> list[str]:
        """Return the files to load: small text files, and each part's weights in one format."""
        folders = {name.rpartition("/")[0] for name in self._required_names()} | set(self.parts)
        texts = [
            name
            for name in files
            if name.rpartition("/")[0] in folders and name.endswith((".json", ".txt"))
        ]
        weights = [name for part in self.parts for name in _weights(files, part, variant)]
        return texts + weights

    def _required_names(self) -> list[str]:
        return [*self.configs, *self.one_of, *(name for names in self.vocabulary for name in names)]


def _weights(files: Sequence[str], part: str, variant: str | None) -> list[str]:
    """Return a part's weight files of a variant: safetensors if there are any, else .bin."""
    of_format: dict[str, list[str]] = {"safetensors": [], "bin": []}
    for name in files:
        folder, _, base = name.rpartition("/")
        match = WEIGHT_FILE.fullmatch(base) if folder == part else None
        if match and ("fp16" if ".fp16" in base else None) == variant:
            of_format[match["format"]].append(name)
    return of_format["safetensors"] or of_format["bin"]


CAPTIONER = Layout(
    flag="--captioner",
    form="transformers captioning",
    parts=("",),
    configs=("config.json",),
    vocabulary=(("vocab.json", "merges.txt"), ("tokenizer.json",), ("vocab.txt",)),
    # transformers 5 writes the former's content into the latter.
    one_of=("preprocessor_config.json", "processor_config.json"),
)

PAINTER_TOKENIZER = Layout(
    flag="--model",
    form="diffusers StableDiffusionPipeline",
    parts=(),
    configs=("model_index.json", "tokenizer/tokenizer_config.json"),
    vocabulary=(("tokenizer/vocab.json", "tokenizer/merges.txt"), ("tokenizer/tokenizer.json",)),
)

PAINTER = Layout(
    flag=PAINTER_TOKENIZER.flag,
    form=PAINTER_TOKENIZER.form,
    parts=("unet", "vae", "text_encoder"),
    configs=(
        *PAINTER_TOKENIZER.configs,
        "scheduler/scheduler_config.json",
        "unet/config.json",
        "vae/config.json",
        "text_encoder/config.json",
    ),
    vocabulary=PAINTER_TOKENIZER.vocabulary,
)

CHECKED_PAINTER = Layout(
    flag=PAINTER.flag,
    form=PAINTER.form + " with its safety checker",
    parts=(*PAINTER.parts, "safety_checker"),
    configs=(
        *PAINTER.configs,
        "safety_checker/config.json",
        "feature_extractor/preprocessor_config.json",
    ),
    vocabulary=PAINTER.vocabulary,
)
