"""The settings of a published experiment, composed from the request that repeats it."""

from resx.config.composing import compose
from resx.config.settings import flattened
from resx.reference.published import PROTOCOLS

# A departure in one of these is worth a word; so is one in the recipe.
SETTINGS: tuple[str, ...] = (
    *("data.name", "images", "data.pad", "data.flip", "data.normalize", "data.mean", "data.std"),
    *("data.image_size", "data.crops", "precision", "model.width", "model.norm"),
    *("model.stride_in", "model.name", "model.zero_init_last", "model.drop_path"),
)
# These change what is recorded, or the recipe's name, but no result.
SILENT = ("recipe.name", "recipe.record_every", "recipe.eval_every", "recipe.save_every")


def protocol_of(reference: str) -> dict[str, object]:
    """The flat settings of a published experiment; a list where it has several values."""
    published = PROTOCOLS[reference]
    # No root: nothing is read, and an interpolated root may be missing on this machine.
    composed = compose(*published.overrides, "data.root=null")
    flat = flattened(composed) | {"images": published.images}
    recipe = (name for name in flat if name.startswith("recipe.") and name not in SILENT)
    return {name: flat[name] for name in (*SETTINGS, *recipe)} | published.variants
