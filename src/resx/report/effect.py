"""Which settings have an effect beside the others, so that only those are compared."""

from typing import Any

from resx.config.schema import SMALL_IMAGE

Settings = dict[str, Any]


def in_force(settings: Settings) -> Settings:
    """Without the settings that decide nothing here; a warm-up that the depth does without is none.

    `settings` are flat and may lack some.
    """
    kept = dict(settings)
    if kept.get("depth", 0) < kept.get("recipe.warmup_min_depth", 0):
        kept["recipe.warmup"] = "none"
    pointless = without_effect(kept)
    return {key: value for key, value in kept.items() if key not in pointless}


def without_effect(settings: Settings) -> set[str]:
    warmup, schedule = settings.get("recipe.warmup"), settings.get("recipe.schedule")
    size = settings.get("data.image_size", SMALL_IMAGE)
    pointless = {
        "recipe.warmup_min_depth": True,  # what it says is said by `warmup` for this depth
        "recipe.warmup_steps": warmup not in ("constant", "linear"),
        "recipe.warmup_lr": warmup == "none",
        "recipe.warmup_error": warmup != "error",
        "recipe.milestones": schedule != "multistep",
        "recipe.lr_decay": schedule != "multistep",
        "recipe.momentum": settings.get("recipe.optimizer") != "sgd",
        "recipe.nesterov": settings.get("recipe.optimizer") != "sgd",
        "data.padding": settings.get("data.pad", 0) == 0,
        "data.crops": size < SMALL_IMAGE,
        "data.colour_noise": size < SMALL_IMAGE,
        "data.shorter_side": size < SMALL_IMAGE,
        # A plain network has no shortcut, whatever its configuration says.
        "model.shortcut": not settings.get("residual", True),
        "model.stride_in": settings.get("block") == "basic",
    }
    return {key for key, without in pointless.items() if without}
