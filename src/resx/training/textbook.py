"""The loop most people write, as a yardstick for ours: PIL transforms, float32, `.item()`."""

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from resx.data.source import Pixels


class PILDataset(TorchDataset[tuple[Tensor, Tensor]]):
    """Crop, flip and normalise one PIL image at a time, as torchvision's tutorials do."""

    def __init__(self, pixels: Pixels, pad: int, flip: bool) -> None:
        from torchvision import transforms

        images, self.labels = pixels.images.cpu(), pixels.labels.cpu()
        size, channels = images.shape[1], images.shape[3]
        steps = [transforms.RandomCrop(size, padding=pad)] if pad else []
        steps += [transforms.RandomHorizontalFlip()] if flip else []
        steps += [transforms.ToTensor(), transforms.Normalize([0.5] * channels, [0.25] * channels)]
        self.transform = transforms.Compose(steps)
        self.arrays = images.squeeze(-1).numpy()

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def textbook_steps(
    network: nn.Module, pixels: Pixels, batch_size: int, pad: int, flip: bool, workers: int = 2
) -> Iterator[float]:
    """Train without end; yields the seconds of each step, fetching the batch included."""
    device = next(network.parameters()).device
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    loader = DataLoader(
        PILDataset(pixels, pad, flip), batch_size, shuffle=True, num_workers=workers, drop_last=True
    )
    network.train()
    running_loss, correct = 0.0, 0
    while True:
        started = time.perf_counter()
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            optimizer.zero_grad()
            outputs = network(images)
            loss = F.cross_entropy(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            correct += (outputs.argmax(1) == labels).sum().item()
            yield time.perf_counter() - started
            started = time.perf_counter()
