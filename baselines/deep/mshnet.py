"""MSHNet: a U-Net of residual attention blocks with a head at each of four scales."""

from torch import nn

from irsam_zoo.baselines.deep.parts.scale_location import SideOutputDetector
from irsam_zoo.baselines.deep.parts.side_output_unet import MSHNet
from irsam_zoo.zoo import METHODS, MethodCard


@METHODS.register_module("mshnet")
class MSHNetDetector(SideOutputDetector):
    """MSHNet with the SLS loss.

    Arguments:
        kwargs: Options of `SideOutputDetector`.
    """

    card = MethodCard(
        title="MSHNet",
        authors="Liu et al.",
        year=2024,
        venue="CVPR",
        url="https://github.com/Lliu666/MSHNet",
        family="deep",
        fidelity="author-code",
        notes=(
            "The location term of the author's loss takes means over the image that are not divided by the mass, so that it "
            "sees areas too; kept.",
            "The best epoch is chosen on the test list there; here the last one counts.",
            "The Pd that the author's training prints falls from epoch to epoch, since the count of targets is never reset.",
        ),
    )
    default_input_size = 256  # author's code: test images are resized to 256 x 256
    warm_up = 6 / 400  # author's code: epochs 0 to 5 of 400

    def build_network(self) -> nn.Module:
        return MSHNet()
