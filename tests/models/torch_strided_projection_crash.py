"""The smallest program in which torch's backward pass of a convolution writes outside its memory.

    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OMP_NUM_THREADS=1 \
        python tests/models/torch_strided_projection_crash.py [INPUT_CHANNELS [STRIDE [FORMAT]]]

Seen with torch 2.15.0 on x86-64 Linux; the variables are not needed on a CPU without AVX-512. With
1 to 7 input channels the process dies within 30 steps: "double free or corruption", "corrupted
size vs. prev_size" or a segmentation fault. It prints "ok" with 8 channels and more, with stride 1
or 3, with FORMAT=contiguous, with a 3x3 convolution, and with two threads.

`Network.arrange` keeps networks with such a convolution out of channels_last.
"""

import sys

import torch


def main(in_channels: int = 6, stride: int = 2, memory: str = "channels_last") -> None:
    channels_last = memory == "channels_last"
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(in_channels, 2 * in_channels, 1, stride, bias=False)
    convolution = convolution.to(memory_format=memory_format)
    for _ in range(30):
        images = torch.randn(8, in_channels, 16, 16).to(memory_format=memory_format)
        convolution(images.requires_grad_()).square().sum().backward()
        _ = [torch.randn(37) for _ in range(50)]  # allocations that notice the damage
    print("ok")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*map(int, arguments[:2]), *arguments[2:])
