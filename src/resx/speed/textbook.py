"""The loop most people write, as a yardstick for ours: PIL transforms, float32, `.item()`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler
from torch.utils.data import Dataset as TorchDataset

from resx.data.dataset import Dataset
from resx.data.in_memory import MemoryDataset
from resx.data.source import Encoded, Images

MEAN, STD = 0.5, 0.25


class Loop(Protocol):
    """A training loop that can be run a few steps at a time."""

    def fetch(self, steps: int) -> Iterator[Any]:
        """What so many steps need, and nothing of it is made before or after them."""

    def batch(self, fetched: Any) -> Any:
        """Images and labels as the network gets them, on the device."""

    def train(self, fetched: Any) -> None:
        """One step."""


class Textbook:
    """Contiguous tensors, an image at a time through PIL, the loss read after every step."""

    def __init__(self, network: nn.Module, dataset: Dataset, batch_size: int, workers: int) -> None:
        self.network = network.train()
        self.device = next(network.parameters()).device
        self.optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
        self.running_loss, self.correct = 0.0, 0.0
        self.images = PILDataset(dataset.splits["train"], _transforms(dataset))
        self.batch_size, self.workers = batch_size, workers
        self.loaders: dict[int, DataLoader[Any]] = {}

    def fetch(self, steps: int) -> Iterator[Any]:
        """Workers wait between two turns: they begin with the first batch, end with the last."""
        if steps not in self.loaders:
            sampler = RandomSampler(self.images, num_samples=steps * self.batch_size)
            self.loaders[steps] = DataLoader(
                self.images,
                self.batch_size,
                sampler=sampler,
                num_workers=self.workers,
                persistent_workers=self.workers > 0,
                pin_memory=self.device.type == "cuda",
            )
        return iter(self.loaders[steps])

    def batch(self, fetched: Any) -> Any:
        return tuple(part.to(self.device) for part in fetched)

    def train(self, fetched: Any) -> None:
        images, labels = self.batch(fetched)
        self.optimizer.zero_grad()
        with _as_torch_comes(self.device):
            outputs = self.network(images)
            loss = F.cross_entropy(outputs, labels)
            loss.backward()
        self.optimizer.step()
        self.running_loss += loss.item()
        self.correct += (outputs.argmax(1) == labels).sum().item()


@contextmanager
def _as_torch_comes(device: torch.device) -> Iterator[None]:
    """On CUDA convolutions round to TF32 unless they are told not to, and we tell them."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = before or device.type == "cuda"
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class PILDataset(TorchDataset[tuple[Tensor, Tensor]]):
    """One image at a time, as torchvision's references do."""

    def __init__(self, images: Images, transform: Callable[[Image.Image], Tensor]) -> None:
        self.transform, self.labels = transform, images.labels.cpu()
        self.open = _opener(images)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.transform(self.open(index)), self.labels[index]


def _opener(images: Images) -> Callable[[int], Image.Image]:
    if isinstance(images, Encoded):
        return lambda index: Image.open(BytesIO(images.read(index))).convert("RGB")
    arrays = images.images.cpu().squeeze(-1).numpy()
    return lambda index: Image.fromarray(arrays[index])


def _transforms(dataset: Dataset) -> Callable[[Image.Image], Tensor]:
    """Of torchvision's tutorial for small images, of its references/classification for large."""
    from torchvision import transforms

    steps: list[Any] = []
    if not isinstance(dataset, MemoryDataset):
        steps += [transforms.RandomResizedCrop(dataset.image_size, antialias=True)]
        steps += [transforms.RandomHorizontalFlip()]
    else:
        steps += [transforms.RandomCrop(dataset.image_size, dataset.pad)] if dataset.pad else []
        steps += [transforms.RandomHorizontalFlip()] if dataset.flip else []
    channels = dataset.channels
    steps += [transforms.ToTensor(), transforms.Normalize([MEAN] * channels, [STD] * channels)]
    return transforms.Compose(steps)
