from pathlib import Path

import pytest

from monetize.adapters import Embedding, Lora, parse_embedding, parse_lora
from monetize.errors import UsageError


@pytest.mark.parametrize(
    ("text", "lora"),
    [
        ("monet.safetensors", Lora("monet.safetensors")),
        ("monet.safetensors=0.8", Lora("monet.safetensors", 0.8)),
        ("owner/monet=-1", Lora("owner/monet", -1.0)),
        ("monet=x.safetensors", Lora("monet=x.safetensors")),
        ("monet=1.safetensors=0", Lora("monet=1.safetensors", 0.0)),
    ],
)
def test_a_scale_follows_the_last_sign(text: str, lora: Lora) -> None:
    assert parse_lora(text) == lora
    assert parse_lora(str(lora)) == lora


def test_an_existing_file_may_look_like_a_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monet=2").touch()
    assert parse_lora("monet=2") == Lora("monet=2")
    assert parse_lora("monet=2=0.5") == Lora("monet=2", 0.5)


NO_NUMBERS = ("monet.safetensors=0,5", "monet.safetensors=abc", "owner/monet=half", "monet.pt=")


@pytest.mark.parametrize("text", ["", "=0.5", " =1", "monet=nan", "monet=inf", *NO_NUMBERS])
def test_what_is_no_lora_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a LoRA with a scale: write FILE, FOLDER or"):
        parse_lora(text)


@pytest.mark.parametrize(
    ("text", "embedding"),
    [
        ("monet.pt", Embedding("monet.pt")),
        ("monet.pt=monet-style", Embedding("monet.pt", "monet-style")),
        ("a=b.pt=<style>", Embedding("a=b.pt", "<style>")),
    ],
)
def test_a_token_follows_the_last_sign(text: str, embedding: Embedding) -> None:
    assert parse_embedding(text) == embedding
    assert parse_embedding(str(embedding)) == embedding


@pytest.mark.parametrize("text", ["", "=token", "monet.pt="])
def test_what_is_no_embedding_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not an embedding: write FILE, or FILE=TOKEN"):
        parse_embedding(text)
