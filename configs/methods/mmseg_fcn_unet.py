"""FCN-UNet of mmsegmentation, configs/_base_/models/fcn_unet_s5-d16.py, as an example for any of its models.

A path works as well: ``config="path/to/mmsegmentation/configs/unet/unet-s5-d16_fcn_4xb4-160k_hrf-256x256.py"``.
"""

norm = dict(type="BN")


def head(channels, index, weight):
    return dict(
        type="FCNHead",
        in_channels=channels,
        in_index=index,
        channels=64,
        num_convs=1,
        concat_input=False,
        num_classes=2,
        norm_cfg=norm,
        loss_decode=dict(type="CrossEntropyLoss", loss_weight=weight),
    )


method = dict(
    type="mmseg",
    config=dict(
        type="EncoderDecoder",
        backbone=dict(type="UNet", base_channels=64, norm_cfg=norm),
        decode_head=head(64, 4, 1.0),
        auxiliary_head=head(128, 3, 0.4),
    ),
)
