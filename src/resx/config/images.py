"""The settings of `data`: which images, how they are augmented and normalised (torch-free)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import MISSING

from resx.config.checks import Checked, refuse_path
from resx.config.run_hash import logistics

SMALL_IMAGE = 64  # pixels; smaller images live in memory, larger ones are streamed
KRIZHEVSKY = 0.1  # standard deviation of the colour noise (Krizhevsky 2012, Sec. 4.1)
HE_2015 = [256, 480]  # shorter side for a crop of 224 (He et al. 2015, Sec. 3.4)


@dataclass
class DataConfig(Checked):
    """Which images, how they are augmented and normalised.

    What stands beside or above a setting is what `resx help data.NAME` says of it.
    """

    group: ClassVar[str] = "data."
    choices: ClassVar[dict[str, tuple[object, ...]]] = {
        "padding": ("zero", "reflect"),
        "normalize": ("pixel", "channel", "given"),
        "crops": (1, 10),
        "decode_on": ("workers", "device"),
    }

    name: str = MISSING  # folder of the runs below outputs/runs/
    source: dict[str, Any] = field(default_factory=dict)  # the function that reads the images
    root: str | None = logistics(None)  # where the images are
    # Fetch images that are not there (CIFAR): true, also into data.root; false, never; unset, only
    # where no data.root is named, into data/
    download: bool | None = logistics(None)
    workers: int = logistics(0)  # processes that decode; only for images that are streamed
    image_size: int = MISSING  # pixels of a side; from 64 on images are streamed from their files
    channels: int = logistics(3)  # what `info` takes for granted, as it reads no image
    classes: int | None = logistics(None)  # how many there are; unset: what the images say
    # Whether the images may have fewer classes than data.classes, as a part of ImageNet has
    fewer_classes: bool = field(
        default=False, metadata={"hashed": False, "before": lambda data: True}
    )
    pad: int = 0  # pixels on each side before the random crop (He 2015, Sec. 4.2: 4)
    padding: str = "zero"  # what they hold; reflect: the image mirrored (Zagoruyko's code)
    flip: bool = False  # mirror training images left to right, at random
    # Subtract a mean of every pixel, or of every channel and divide by its deviation; given: by
    # data.mean and data.std
    normalize: str = "channel"
    mean: list[float] | None = None  # for normalize=given, one number a channel, pixels in [0, 1]
    std: list[float] | None = None  # for normalize=given, as data.mean
    subset: int | None = None  # train on so many images, drawn class by class
    val_fraction: float = 0.0  # share of the training images held out as `val`
    crops: int = 1  # views of a streamed test image: 1 (centre) or 10
    # Where streamed JPEGs are decoded: by workers, at the least size that serves; device: there, on
    # CUDA by nvJPEG
    decode_on: str = "workers"
    # Strength of the noise along the colours' principal components, of streamed training images;
    # 0.1 in Krizhevsky 2012
    colour_noise: float = field(
        default=0.0, metadata={"before": lambda data: KRIZHEVSKY if data.is_streamed else 0.0}
    )
    # [LEAST, MOST] pixels of a streamed training image's shorter side, for a crop of 224
    shorter_side: list[int] | None = field(
        default=None, metadata={"before": lambda data: HE_2015 if data.is_streamed else None}
    )

    @property
    def is_streamed(self) -> bool:
        """Whether images are decoded while they are needed, as they are too many for memory."""
        return self.image_size >= SMALL_IMAGE

    def __post_init__(self) -> None:
        refuse_path("data.name", self.name)
        self.at_least(0, "pad", "workers", "colour_noise")
        self.at_least(1, "subset", "image_size", "channels")
        self.at_least(2, "classes")
        self.one_of_its_choices()
        if not 0 <= self.val_fraction < 1:
            self.refuse("val_fraction", "must be in [0, 1)")
        self._check_normalization()
        if self.shorter_side is not None and not self._is_range(self.shorter_side):
            self.refuse("shorter_side", "must be [LEAST, MOST] for a crop of 224, at least 224")

    def _check_normalization(self) -> None:
        for name in ("mean", "std"):
            if self.normalize == "given" and getattr(self, name) is None:
                self.refuse("normalize", "needs data.mean and data.std, a number for each channel")
            if self.normalize != "given" and getattr(self, name) is not None:
                self.refuse(name, "only data.normalize=given takes it")
        if self.std is not None and min(self.std, default=0.0) <= 0:
            self.refuse("std", "must be positive")

    @staticmethod
    def _is_range(sides: list[int]) -> bool:
        return len(sides) == 2 and 224 <= sides[0] <= sides[1]
