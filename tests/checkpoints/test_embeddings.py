"""Textual inversions: which file, which token, and what is refused before a model is loaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import CPU, Tiny
from safetensors.torch import save_file
from torch import Tensor

from monetize.adapters import Embedding
from monetize.checkpoints.embeddings import EmbeddingFile, check_widths, resolve_embeddings
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.resolve import Checkpoint, resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.errors import CheckpointError, UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh, word_positions
from monetize.prompts.weights import Weight

WIDTH = 32  # of the tiny text encoder
VECTORS = torch.arange(3 * WIDTH, dtype=torch.float32).view(3, WIDTH) / 100


def resolved(file: Path, token: str = "") -> EmbeddingFile:
    [found] = resolve_embeddings([Embedding(str(file), token)])
    return found


def with_embeddings(tiny: Tiny, *embeddings: EmbeddingFile) -> Checkpoint:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    return Checkpoint(**{**vars(checkpoint), "embeddings": embeddings})


def web_ui(vectors: Tensor) -> dict[str, Any]:
    """As AUTOMATIC1111's web UI writes a .pt."""
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": torch.nn.Parameter(vectors)},
        "name": "another name",
        "step": 1000,
        "sd_checkpoint": None,
    }


@pytest.mark.parametrize(
    ("name", "content", "token", "count"),
    [
        ("monet-style.safetensors", {"emb_params": VECTORS}, "monet-style", 3),
        ("monet-style.pt", web_ui(VECTORS), "monet-style", 3),
        ("learned_embeds.safetensors", {"<monet-style>": VECTORS[0]}, "<monet-style>", 1),
        ("learned_embeds.bin", {"<monet-style>": VECTORS[:1]}, "<monet-style>", 1),
        ("monet-style.safetensors", {"*": VECTORS[:2]}, "monet-style", 2),
    ],
)
def test_each_form_of_a_file_is_read(
    tmp_path: Path, name: str, content: dict[str, Any], token: str, count: int
) -> None:
    file = tmp_path / name
    save_file(content, file) if file.suffix == ".safetensors" else torch.save(content, file)
    found = resolved(file)
    assert (found.token, found.count, found.width) == (token, count, WIDTH)
    assert torch.equal(found.vectors(), VECTORS[:count])
    assert found.identity.startswith(f"{token}=sha256:")
    assert resolved(file, "mine").token == "mine"


def test_the_token_is_one_word_with_a_position_for_each_vector(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "Monet-style.safetensors")
    checkpoint = with_embeddings(tiny, resolved(tmp_path / "Monet-style.safetensors"))
    tokenizer = load_tokenizer(checkpoint)
    prompt = Prompt("a lake, monet-STYLE, monet-styles", (Weight("monet-style", 2),))
    weighted = weigh(tokenizer, prompt)
    values = [token.weight for token in weighted.tokens]
    assert values[:9] == [1, 1, 1, 1, 2, 2, 2, 1, 1]
    assert [token.text for token in weighted.tokens][4:7] == [
        "monet-style", "monet-style[2]", "monet-style[3]",
    ]  # fmt: skip
    assert len(weighted.input_ids) == len(weighted.tokens)
    assert word_positions(tokenizer, prompt)["monet-STYLE"] == (4, 5, 6)


def test_a_long_prompt_may_cut_vectors_off(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "monet-style.safetensors")
    checkpoint = with_embeddings(tiny, resolved(tmp_path / "monet-style.safetensors"))
    text = "tree " * 74 + "monet-style"
    weighted = weigh(load_tokenizer(checkpoint), Prompt(text, (Weight("monet-style", 2),)))
    assert len(weighted.input_ids) == 77
    assert weighted.beyond == "monet-style"
    assert [str(weight) for weight in weighted.partly_cut] == ["monet-style=2"]


def test_the_text_encoder_gets_the_vectors(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "monet-style.safetensors")
    pipeline = load_painting_pipeline(
        with_embeddings(tiny, resolved(tmp_path / "monet-style.safetensors")), CPU
    )
    plain = load_painting_pipeline(resolve(str(tiny.painter), PAINTER), CPU)
    rows = pipeline.text_encoder.get_input_embeddings().weight
    before = plain.text_encoder.get_input_embeddings().weight
    assert torch.equal(rows[: len(before)], before)
    assert torch.equal(rows[len(before) :], VECTORS)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"string_to_param": {}},
        {"string_to_param": {"*": 3}},
        {"string_to_param": {"*": VECTORS, "+": VECTORS}},
        {"token": "not a tensor"},
        [VECTORS],
        VECTORS,
        7,
    ],
)
def test_a_pickle_of_something_else_is_an_error(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "monet-style.pt")
    with pytest.raises(CheckpointError, match=r"--embedding .*monet-style.pt \w"):
        resolved(tmp_path / "monet-style.pt")


def test_what_is_missing_or_no_embedding_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--embedding nowhere.pt: no such file"):
        resolved(Path("nowhere.pt"))
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(UsageError, match=r"folder.safetensors is a folder: give the file in it"):
        resolved(tmp_path / "folder.safetensors")
    (tmp_path / "monet.txt").touch()
    with pytest.raises(UsageError, match=r"not a file of the kind .safetensors, .pt, .bin"):
        resolved(tmp_path / "monet.txt")
    (tmp_path / "empty.pt").touch()
    with pytest.raises(CheckpointError, match=r"--embedding .*empty.pt cannot be read"):
        resolved(tmp_path / "empty.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"clip_l": VECTORS, "clip_g": VECTORS}, "is for Stable Diffusion XL"),
        (
            {"lora_unet_x.lora_down.weight": VECTORS, "lora_unet_x.lora_up.weight": VECTORS},
            "is a LoRA, not a textual inversion",
        ),
        ({"x.weight": VECTORS}, r"style.safetensors is not a textual inversion of one token"),
        ({"emb_params": torch.ones(1, 2, 3)}, "not a textual inversion of one token"),
        ({"emb_params": torch.ones(76, 4)}, "has 76 vectors; a prompt has room for 75"),
    ],
)
def test_another_kind_of_file_is_named(
    tmp_path: Path, content: dict[str, Tensor], message: str
) -> None:
    file = tmp_path / "monet-style.safetensors"
    save_file({key: tensor.clone() for key, tensor in content.items()}, file)
    with pytest.raises(CheckpointError, match=message):
        resolved(file)


def test_a_program_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "monet-style.pt"
    torch.save({"string_to_param": {"*": VECTORS}, "program": Path("x")}, file)
    with pytest.raises(CheckpointError, match=r"cannot be read: .* may be a program|code"):
        resolved(file)


def test_a_token_that_is_there_already_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "Monet.safetensors")
    with pytest.raises(UsageError, match=r"the model has a token of its own for 'Monet': give .*="):
        load_tokenizer(with_embeddings(tiny, resolved(tmp_path / "Monet.safetensors")))
    load_tokenizer(with_embeddings(tiny, resolved(tmp_path / "Monet.safetensors", "monet-style")))


def test_a_token_may_not_be_that_of_another_s_second_vector(tiny: Tiny, tmp_path: Path) -> None:
    for name in ("monet-style", "monet-style[2]"):
        save_file({"emb_params": VECTORS}, tmp_path / f"{name}.safetensors")
    one, other = (
        resolved(tmp_path / f"{name}.safetensors") for name in ("monet-style", "monet-style[2]")
    )
    for pair in ((one, other), (other, one)):
        with pytest.raises(UsageError, match="the model has a token of its own"):
            load_tokenizer(with_embeddings(tiny, *pair))


def test_two_files_may_not_have_one_token(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        save_file({"emb_params": VECTORS}, tmp_path / name / "Style-x.safetensors")
    one, other = (str(tmp_path / name / "Style-x.safetensors") for name in ("one", "other"))
    with pytest.raises(UsageError, match="two files have the token 'Style-x': give one of them"):
        resolve_embeddings([Embedding(one), Embedding(other)])
    with pytest.raises(UsageError, match="two files have the token"):
        resolve_embeddings([Embedding(one), Embedding(other, "style-X")])
    assert len(resolve_embeddings([Embedding(one), Embedding(other, "style-y")])) == 2


def test_a_token_with_a_space_needs_another_name(tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS}, tmp_path / "monet style.safetensors")
    with pytest.raises(UsageError, match=r"its token 'monet style' has a space: give another"):
        resolved(tmp_path / "monet style.safetensors")


def test_vectors_of_another_width_are_refused_before_loading(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(1, 768)}, tmp_path / "monet-style.safetensors")
    checkpoint = with_embeddings(tiny, resolved(tmp_path / "monet-style.safetensors"))
    with pytest.raises(CheckpointError, match=r"vectors of 768 numbers, .* takes 32: it was made"):
        check_widths(checkpoint)


def test_vectors_that_are_not_numbers_are_named(tiny: Tiny, tmp_path: Path) -> None:
    save_file({"emb_params": VECTORS * torch.nan}, tmp_path / "monet-style.safetensors")
    checkpoint = with_embeddings(tiny, resolved(tmp_path / "monet-style.safetensors"))
    with pytest.raises(CheckpointError, match="its vectors are not finite numbers"):
        load_painting_pipeline(checkpoint, CPU)
