"""JPEGs decoded where the network is, on CUDA by nvJPEG: workers only read them."""

from typing import NamedTuple

import torch
from torch import Tensor

from resx.data.decoding import is_plain_jpeg, pixels
from resx.data.views import View, Views, named


class Contents(NamedTuple):
    """A batch as workers read it; labels (N,)."""

    files: list[Tensor]  # uint8: a JPEG's bytes (N,), of any other image pixels (H, W, 3)
    labels: Tensor
    views: list[View]


Read = tuple[Tensor, Tensor, View]


class FileViews(Views):
    """A `View` -> what lies on the disk of it, to be decoded and cut on a device."""

    def __getitem__(self, view: View) -> Read:  # type: ignore[override]
        images = self.splits[view.split]
        with named(images, view.image):
            content = images.read(view.image)
            if is_plain_jpeg(content):
                read = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            else:
                read = pixels(content, self.cut(view).side)
        return read, images.labels[view.image], view

    def crops(self, batch: Contents, device: torch.device) -> Tensor:
        """What `Views` gives for these, stacked, on the device.

        JPEGs are decoded whole, as nvJPEG knows no smaller sizes, and by another inverse transform:
        so these are not the bits that workers give. Raises `ValueError` that names an image which
        cannot be read.
        """
        encoded = [content for content in batch.files if content.dim() == 1]
        decoded = iter(self._decoded(encoded, batch, device))
        whole = (next(decoded) if x.dim() == 1 else x.to(device) for x in batch.files)
        return torch.stack([self.cut(v).of(x) for v, x in zip(batch.views, whole, strict=True)])

    def _decoded(
        self, encoded: list[Tensor], batch: Contents, device: torch.device
    ) -> list[Tensor]:
        from torchcodec.decoders import decode_jpeg  # an extra

        if not encoded:
            return []
        try:
            planes = decode_jpeg(encoded, device=device)
        except RuntimeError:  # which of them it was, it does not say
            for content, view in zip(batch.files, batch.views, strict=True):
                if content.dim() == 1:
                    with named(self.splits[view.split], view.image):
                        decode_jpeg(content, device=device)
            raise
        return [image.permute(1, 2, 0) for image in planes]


def together(read: list[Read]) -> Contents:
    """Images differ in size, so nothing is stacked but labels."""
    contents, labels, views = zip(*read, strict=True)
    return Contents([*contents], torch.stack(labels), [*views])
