"""What other projects call our weights: torchvision, and akamaster's CIFAR resnets."""

import re
from collections.abc import Callable
from functools import partial

from resx.models.parts.network import ForeignNames

HEADS = {"torchvision": "fc", "akamaster": "linear"}
PROJECTIONS = {"torchvision": "downsample", "akamaster": "shortcut"}


def resnet_name(ours: str, naming: str) -> str:
    """`stage2.0.branch.3.weight` -> `layer2.0.conv2.weight`, and so on."""
    rules: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
        (r"^stem\.0\.", "conv1."),
        (r"^stem\.1\.", "bn1."),
        (r"^head\.2\.", f"{HEADS[naming]}."),
        (r"^stage(\d+)\.", r"layer\1."),
        (r"\.shortcut\.", f".{PROJECTIONS[naming]}."),
        # A branch repeats convolution, BN, ReLU; the others count convolutions and BNs apart.
        (r"\.branch\.(\d+)\.", lambda m: f".{('conv', 'bn')[int(m[1]) % 3]}{int(m[1]) // 3 + 1}."),
    ]
    for pattern, replacement in rules:
        ours = re.sub(pattern, replacement, ours)
    return ours


def resnet_names(naming: str) -> ForeignNames:
    return {naming: partial(resnet_name, naming=naming)}


def whose_names(**projects: tuple[tuple[bool, str], ...]) -> tuple[ForeignNames, dict[str, str]]:
    """Names of ResNets by project, and of the others why they have no such network.

    Each project has rules in order: whether it holds, and what is to be said if it does not.
    """
    names: dict[str, Callable[[str], str]] = {}
    absent: dict[str, str] = {}
    for project, rules in projects.items():
        if broken := [reason for holds, reason in rules if not holds]:
            absent[project] = broken[0]
        else:
            names |= resnet_names(project)
    return names, absent


def densenet_name(ours: str) -> str:
    """`stage2.0.branch.2.weight` -> `features.denseblock2.denselayer1.conv1.weight`, and so on.

    The names are torchvision's.
    """
    part = ("norm", "relu", "conv")

    def layer(match: re.Match[str]) -> str:
        # Three modules a step (BN, ReLU, convolution), and its layers are counted from 1.
        stage, number, place = int(match[1]), int(match[2]), int(match[3])
        name = f"{part[place % 3]}{place // 3 + 1}"
        return f"features.denseblock{stage}.denselayer{number + 1}.{name}."

    ours = re.sub(r"^stage(\d+)\.(\d+)\.branch\.(\d+)\.", layer, ours)
    ours = re.sub(
        r"^transition(\d+)\.(\d)\.",
        lambda m: f"features.transition{m[1]}.{part[int(m[2])]}.",
        ours,
    )
    ends = {r"^stem\.0\.": "features.conv0.", r"^stem\.1\.": "features.norm0."}
    ends |= {r"^head\.0\.": "features.norm5.", r"^head\.4\.": "classifier."}
    for pattern, replacement in ends.items():
        ours = re.sub(pattern, replacement, ours)
    return ours


def vit_name(ours: str) -> str:
    """`stage1.2.branch.1.in_proj.weight` -> `encoder.layers.encoder_layer_1.self_attention...`

    The names are torchvision's.
    """
    parts = {"0.": "mlp.0.", "2.": "mlp.3."}  # its MLP has a dropout at 2
    # Ours is a linear layer, its attention is torch's own, which calls the two tensors
    # `in_proj_weight` and `in_proj_bias`.
    parts |= {"in_proj.": "self_attention.in_proj_", "out_proj.": "self_attention.out_proj."}

    def block(match: re.Match[str]) -> str:
        layer, second = divmod(int(match[1]), 2)
        inner = f"ln_{second + 1}." if match[2] == "0" else parts[match[3]]
        return f"encoder.layers.encoder_layer_{layer}.{inner}"

    ours = re.sub(r"^stage1\.(\d+)\.branch\.(?:(0)\.|1\.(\w+\.))", block, ours)
    ends = {"stem.projection.": "conv_proj.", "stem.class_token": "class_token"}
    ends |= {"stem.positions.weight": "encoder.pos_embedding"}
    ends |= {"head.0.": "encoder.ln.", "head.2.": "heads.head."}
    for start, replacement in ends.items():
        if ours.startswith(start):
            ours = replacement + ours.removeprefix(start)
    return ours
