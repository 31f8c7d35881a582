"""JPEGs decoded where the network is, on CUDA by nvJPEG: workers only read them."""

from typing import NamedTuple

import torch
from torch import Tensor

from resx.data.decoding import is_plain_jpeg, pixels
from resx.data.views import View, Views, named


class Contents(NamedTuple):
    """A batch of N images as workers read it; labels (N,).

    JPEGs lie one behind the other in one uint8 tensor, as each that travels from a process costs.
    """

    jpegs: Tensor
    sizes: list[int]  # bytes of each, 0 of an image that is none
    others: list[Tensor]  # pixels of those, uint8 (H, W, 3)
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

        JPEGs are decoded whole, as nvJPEG knows no smaller sizes, and by other rules of rounding
        and of widening colours: so these are not the bits that workers give. Raises `ValueError`
        that names an image which cannot be read.
        """
        decoded, others = iter(self._decoded(batch, device)), iter(batch.others)
        whole = (next(decoded) if size else next(others).to(device) for size in batch.sizes)
        return torch.stack([self.cut(v).of(x) for v, x in zip(batch.views, whole, strict=True)])

    def _decoded(self, batch: Contents, device: torch.device) -> list[Tensor]:
        from torchcodec.decoders import decode_jpeg  # an extra

        jpegs = [*batch.jpegs.split([size for size in batch.sizes if size])]
        if not jpegs:
            return []
        try:
            planes = decode_jpeg(jpegs, device=device)
        except RuntimeError:  # which of them it was, it does not say
            views = (view for view, size in zip(batch.views, batch.sizes) if size)
            for jpeg, view in zip(jpegs, views, strict=True):
                with named(self.splits[view.split], view.image):
                    decode_jpeg(jpeg, device=device)
            raise
        return [image.permute(1, 2, 0) for image in planes]


def together(read: list[Read]) -> Contents:
    """Images differ in size, so they are not stacked."""
    files, labels, views = zip(*read, strict=True)
    jpegs = [file for file in files if file.dim() == 1]
    return Contents(
        torch.cat(jpegs) if jpegs else torch.empty(0, dtype=torch.uint8),
        [len(file) if file.dim() == 1 else 0 for file in files],
        [file for file in files if file.dim() == 3],
        torch.stack(labels),
        [*views],
    )
