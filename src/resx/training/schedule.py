"""The learning rate as a pure function of the step."""

import math

import numpy as np

from resx.config.schema import RecipeConfig


def learning_rate(step: int, recipe: RecipeConfig, warmup_end: int | None) -> float:
    """Of the update that makes step `step` (the first is 1).

    `warmup_end` is the last step of the warm-up, None while it goes on. Multistep: times lr_decay
    after each milestone (He 2015, Sec. 4.2). Cosine: over the steps that the warm-up leaves, to 0
    (Loshchilov & Hutter 2017, Eq. 5).
    """
    if warmup_end is None or step <= warmup_end:
        if recipe.warmup == "linear":
            return recipe.warmup_lr + (recipe.lr - recipe.warmup_lr) * step / recipe.warmup_steps
        return recipe.warmup_lr
    if recipe.schedule == "cosine":
        done = (step - 1 - warmup_end) / max(recipe.steps - warmup_end, 1)
        return recipe.lr * 0.5 * (1 + math.cos(math.pi * done))
    return recipe.lr * recipe.lr_decay ** sum(step > m for m in recipe.milestones)


def planned_warmup_end(recipe: RecipeConfig, depth: int) -> int | None:
    """Known beforehand, except that `warmup=error` ends when training says so: then None."""
    if recipe.warmup == "none" or depth < recipe.warmup_min_depth:
        return 0
    return None if recipe.warmup == "error" else recipe.warmup_steps


def is_due(step: int, every: int, last: int) -> bool:
    """Whether something that happens every so many steps, and after the last one, is due now."""
    return step % every == 0 or step == last


def snapshot_steps(count: int, last: int) -> list[int]:
    """Step 0 and `count` steps from 1 to the last, spaced by a constant factor; none for 0.

    Those that fall together are one: of 200 steps 8 are 0, 1, 2, 5, 10, 21, 44, 94, 200.
    """
    if count == 0:
        return []
    spaced = np.geomspace(last, 1, count).round().astype(int).tolist()
    return sorted({0, *spaced})
