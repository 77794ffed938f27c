"""The networks: ``nn.Module`` classes that map tensors to tensors."""

from invariant_cluster.modules._array_encoder import ArrayEncoder
from invariant_cluster.modules._attention_vae_encoder import AttentionVAEEncoder
from invariant_cluster.modules._cluster_heads import ClusterHeads
from invariant_cluster.modules._decoders import (
    HypernetworkDecoder,
    PixelDecoder,
    SpatialGenerator,
)
from invariant_cluster.modules._hypernetwork import Hypernetwork
from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._image_encoder import ImageEncoder, Latents
from invariant_cluster.modules._image_model import ImageModel, Reconstruction
from invariant_cluster.modules._inr import FourierFeatures, ImplicitNetwork
from invariant_cluster.modules._irlinr import IRLINR, TrainingBatch
from invariant_cluster.modules._left_out import LeftOut
from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._mlp_vae_encoder import MLPVAEEncoder
from invariant_cluster.modules._pose_head import PoseRule, PoseVectors
from invariant_cluster.modules._resnet import ResNet, ResNet8, ResNet18
from invariant_cluster.modules._scan import (
    ScanModule,
)
from invariant_cluster.modules._scattering import ScatteringTransform
from invariant_cluster.modules._simclr import SimCLR, ViewPair
from invariant_cluster.modules._square_view import SquareView
from invariant_cluster.modules._trunk_encoder import (
    Encoding,
    PoseEncoder,
    TrunkEncoder,
)
from invariant_cluster.modules._vae import (
    Gaussian,
    LatentSample,
    PoseVAE,
    VAEBatch,
)

__all__ = [
    "IRLINR",
    "ArrayEncoder",
    "AttentionVAEEncoder",
    "ClusterHeads",
    "Encoding",
    "FourierFeatures",
    "Gaussian",
    "Hypernetwork",
    "HypernetworkDecoder",
    "ImageAligner",
    "ImageEncoder",
    "ImageModel",
    "ImplicitNetwork",
    "LatentSample",
    "Latents",
    "LeftOut",
    "MLPVAEEncoder",
    "PixelDecoder",
    "PoseEncoder",
    "PoseRule",
    "PoseVAE",
    "PoseVectors",
    "Reconstruction",
    "ResNet",
    "ResNet8",
    "ResNet18",
    "ScanModule",
    "ScatteringTransform",
    "SimCLR",
    "SpatialGenerator",
    "SquareView",
    "TrainingBatch",
    "TrunkEncoder",
    "VAEBatch",
    "ViewPair",
    "make_mlp",
]
