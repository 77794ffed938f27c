"""Random changes of pixel values in [0, 1] that leave the background as it is."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from kornia import enhance
from torch import Tensor

_JITTER = 0.4
_HUE = 0.1
_JITTER_SHARE = 0.8
_BLUR_SHARE = 0.5
_N_OPERATIONS = 4
_CUTOUT_SIDE = 0.5


def jitter_colors(images: Tensor, fill: Tensor) -> Tensor:
    """Jitter contrast, saturation and hue of 80 % of the images, and blur 50 %.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images in [0, 1].
    fill : Tensor of shape (c, 1, 1)
        Background, which keeps its value.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Changed images in [0, 1], each by its own draw.

    See Also
    --------
    random_augment : Apply photometric operations of RandAugment.

    Notes
    -----
    Contrast is the difference from the background and is scaled by a factor from 0.6 to
    1.4. RGB images also get a saturation factor from 0.6 to 1.4 and a hue shift of up
    to 0.1 turns. These are the ranges of SimCLR's colour distortion at s = 0.5, without
    its brightness jitter and random greyscale. The blur is a 3 x 3 Gaussian of standard
    deviation 0.1 to 1 pixels.

    References
    ----------
    T. Chen et al., "A simple framework for contrastive learning of visual
    representations", ICML 2020, appendix A.
    """
    images = _on_some(images, _JITTER_SHARE, lambda part: _jitter(part, fill))
    return _on_some(images, _BLUR_SHARE, _blur)


def random_augment(images: Tensor, fill: Tensor) -> Tensor:
    """Apply four photometric operations of RandAugment, drawn for each image.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images in [0, 1].
    fill : Tensor of shape (c, 1, 1)
        Background, which keeps its value.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Changed images in [0, 1].

    See Also
    --------
    jitter_colors : Apply SimCLR's colour jitter and blur.
    cut_out : Replace a square by the background.

    Notes
    -----
    The four operations are drawn with replacement from identity, contrast, automatic
    contrast, sharpness, posterise and blur. RandAugment's geometric operations are left
    to rotation and translation. Solarise and invert are omitted: on two-valued images
    they turn the object into background.

    References
    ----------
    E. D. Cubuk et al., "RandAugment: practical automated data augmentation with a
    reduced search space", NeurIPS 2020.
    """
    operations: list[Callable[[Tensor], Tensor]] = [
        lambda part: part,
        lambda part: _scale_contrast(part, fill, 0.9),
        lambda part: _stretch(part, fill),
        _sharpen,
        lambda part: _posterize(part, fill),
        _blur,
    ]
    for _ in range(_N_OPERATIONS):
        choice = torch.randint(len(operations), (len(images),), device=images.device)
        for index, operation in enumerate(operations):
            images = _where(choice == index, images, operation)
    return images


def cut_out(images: Tensor, fill: Tensor) -> Tensor:
    """Replace a random square of each image by the background (Cutout).

    The side of the square is half the shorter side of the image. Its centre lies
    anywhere in the image, so the frame may cut the square.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images.
    fill : Tensor of shape (c, 1, 1)
        Background.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Images with one square each set to the background.

    See Also
    --------
    random_augment : Apply photometric operations of RandAugment.

    References
    ----------
    T. DeVries and G. W. Taylor, "Improved regularization of convolutional neural
    networks with Cutout", arXiv:1708.04552, 2017.
    """
    n, _, height, width = images.shape
    half = _CUTOUT_SIDE * min(height, width) / 2
    inside = _band(n, height, half, images)[:, :, None]
    inside = inside & _band(n, width, half, images)[:, None, :]
    return torch.where(inside[:, None], fill, images)


def _band(n: int, length: int, half: float, like: Tensor) -> Tensor:
    """Return which positions lie within ``half`` of a random centre, (n, length)."""
    center = torch.rand(n, 1, device=like.device) * length
    position = torch.arange(length, device=like.device) + 0.5
    return (position - center).abs() <= half


def _on_some(
    images: Tensor, share: float, operation: Callable[[Tensor], Tensor]
) -> Tensor:
    """Apply the operation to a random share of the images."""
    chosen = torch.rand(len(images), device=images.device) < share
    return _where(chosen, images, operation)


def _where(
    chosen: Tensor, images: Tensor, operation: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the images with the operation applied to the chosen ones."""
    if images.device.type != "cpu":  # to know which are chosen would make it wait
        return torch.where(chosen[:, None, None, None], operation(images), images)
    index = chosen.nonzero().squeeze(1)
    if len(index) == 0:
        return images
    return images.index_copy(0, index, operation(images[index]).to(images.dtype))


def _jitter(images: Tensor, fill: Tensor) -> Tensor:
    """Scale contrast at random; for RGB images also saturation and hue."""
    images = _scale_contrast(images, fill, _JITTER)
    if images.shape[1] != 3:
        return images
    saturation = 1 + _JITTER * _symmetric(images)
    hue = 2 * torch.pi * _HUE * _symmetric(images)
    return _keep_background(
        images,
        fill,
        lambda pixels: enhance.adjust_hue(
            enhance.adjust_saturation(pixels, saturation), hue
        ),
    )


def _keep_background(
    images: Tensor, fill: Tensor, change: Callable[[Tensor], Tensor]
) -> Tensor:
    """Change colours, then subtract the shift of the background's own colour."""
    n, n_channels = images.shape[:2]
    backdrop = fill.expand(n, n_channels, 1, 1)
    shift = change(backdrop) - backdrop
    return (change(images) - shift).clamp(0, 1)


def _symmetric(images: Tensor) -> Tensor:
    """Return one draw from Uniform[-1, 1) per image, shape (n,)."""
    return 2 * torch.rand(len(images), device=images.device) - 1


def _scale_contrast(images: Tensor, fill: Tensor, strength: float) -> Tensor:
    """Scale the difference from the background by a factor from 1 +- strength."""
    factor = 1 + strength * _symmetric(images)
    return (fill + factor[:, None, None, None] * (images - fill)).clamp(0, 1)


def _stretch(images: Tensor, fill: Tensor) -> Tensor:
    """Scale the difference from the background until a value reaches 0 or 1."""
    difference = images - fill
    room = torch.where(difference > 0, 1 - fill, fill)
    used = (difference.abs() / room.clamp_min(1e-6)).amax(dim=(1, 2, 3), keepdim=True)
    factor = torch.where(used > 1e-3, 1 / used.clamp_min(1e-3), 1)
    return (fill + factor * difference).clamp(0, 1)


def _sharpen(images: Tensor) -> Tensor:
    """Sharpen or soften each image by a factor from 0.1 to 1.9."""
    return enhance.sharpness(images, 1 + 0.9 * _symmetric(images))


def _posterize(images: Tensor, fill: Tensor) -> Tensor:
    """Keep the 4 to 8 highest bits of the distance from the background."""
    bits = torch.randint(4, 9, (len(images),), device=images.device)
    difference = images - fill
    return fill + difference.sign() * enhance.posterize(difference.abs(), bits)


def _blur(images: Tensor) -> Tensor:
    """Blur each image by a 3 x 3 Gaussian of standard deviation 0.1 to 1 pixels."""
    sigma = 0.1 + 0.9 * torch.rand(len(images), 1, 1, 1, device=images.device)
    beside = torch.exp(-0.5 / sigma.square())
    middle = 1 / (1 + 2 * beside)
    beside = beside * middle
    wide = F.pad(images, (1, 1, 1, 1), mode="reflect")
    rows = middle * wide[..., 1:-1, :] + beside * (wide[..., :-2, :] + wide[..., 2:, :])
    both = middle * rows[..., 1:-1] + beside * (rows[..., :-2] + rows[..., 2:])
    # The weights sum to 1 only up to rounding, hence the clamp.
    return both.clamp(0, 1)
