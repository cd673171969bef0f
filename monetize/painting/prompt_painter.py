"""Prompts and seeds → single paintings, in the batches that the device's memory holds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monetize.chunks import chunks
from monetize.errors import UsageError
from monetize.images.encoding import parameters
from monetize.job.paint_stage import PaintStage
from monetize.painting.batching import Batches
from monetize.painting.painter import Painting, recoloured
from monetize.progress import Reporter, Stage
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Sweep
from monetize.prompts.tokens import weigh_strictly, word_positions

Work = Sequence[tuple[Prompt, int]]
"""Prompts with their seeds."""


@dataclass(frozen=True)
class Single:
    """A painting, and what a viewer is to be told of it: pairs for `pictures.parameters`.

    `before` is the same painting without weights, where that is asked for.
    """

    painting: Painting
    size: int
    scheduler: str
    before: Painting | None = None


class Singles:
    """Paints what `monetize paint` asks for; finds the painter at once, loads it to paint."""

    def __init__(self, stage: PaintStage, reporter: Reporter) -> None:
        self.stage = stage
        self._reporter = reporter

    def check(
        self, prompts: Sequence[Prompt], sweeps: Collection[Sweep] = (), *, heat: bool = False
    ) -> None:
        """Warn of what the text encoder's limit cuts.

        Raises UsageError for weights that act on nothing, and for prompts that have no word to
        make a heat map of.
        """
        for prompt in prompts:
            weighted = weigh_strictly(self.stage.tokenizer, prompt, sweeps)
            for warning in weighted.warnings(sweeps=sweeps):
                self._reporter.warn(warning)
            if heat and not word_positions(self.stage.tokenizer, prompt):
                raise UsageError(f"--heatmap: there is no word in {prompt.text!r}: leave it out")

    def paint(self, work: Work, *, heat: bool = False) -> Iterator[Single]:
        """Paint all of the work, in its order.

        With `heat`, the paintings tell where each text position acted, and weighted ones are
        also painted without their weights.
        """
        compared = heat and any(prompt.weights for prompt, _ in work)
        total = len(work) * (2 if compared else 1)
        with self._reporter.stage("Painting", total, "painting") as progress:
            progress.step("loading the model")
            batches = self.stage.load(len(work), self._reporter)
            for batch in chunks(work, self.stage.chunk_size):
                yield from self._batch(batches, batch, progress, heat=heat, compared=compared)

    def _batch(
        self, batches: Batches, batch: Work, progress: Stage, *, heat: bool, compared: bool
    ) -> Iterator[Single]:
        def paint(prompts: Sequence[Prompt]) -> list[Painting]:
            seeds = [seed for _, seed in batch]
            paintings = batches.start(
                prompts,
                seeds,
                on_step=lambda step, of: progress.step(f"step {step}/{of}"),
                heat=heat,
            ).result()
            return recoloured(paintings, seeds, self.stage.palette)

        paintings = paint([prompt for prompt, _ in batch])
        before: Sequence[Painting | None] = [None] * len(batch)
        if compared:
            progress.advance(len(batch))
            before = paint([Prompt(prompt.text) for prompt, _ in batch])
        scheduler = type(batches.painter.pipeline.scheduler).__name__
        for painting, plain in zip(paintings, before, strict=True):
            yield Single(painting, batches.painter.size, scheduler, plain)
        progress.advance(len(batch))

    def parameters(
        self, single: Single, prompt: Prompt, seed: int, others: Mapping[str, str] | None = None
    ) -> str:
        """What is written into the file of a painting."""
        return parameters(
            prompt,
            self.stage.settings,
            seed=seed,
            size=single.size,
            scheduler=single.scheduler,
            extra=others,
        )
