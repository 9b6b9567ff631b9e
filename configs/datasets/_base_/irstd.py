# What the data sets share. A file in the checkout that trains a model of mmsegmentation on one of them begins:
#
#   _base_ = ["./configs/datasets/nuaa-sirst.py", "mmseg::_base_/models/fcn_unet_s5-d16.py", "mmseg::_base_/default_runtime.py"]
#   data_preprocessor = dict(size=(256, 256), test_cfg=dict(size_divisor=32))
#   model = dict(data_preprocessor=data_preprocessor, test_cfg=dict(mode="whole", _delete_=True))
#
# Crops are padded to one size, with labels that the loss ignores; test images are padded to what the network divides.
custom_imports = dict(imports=["irsam_zoo.datasets.mmseg_dataset", "irsam_zoo.metrics.mm_metric"], allow_failed_imports=False)

crop_size = (256, 256)
train_pipeline = [
    dict(type="LoadIRSTDPair"),
    dict(type="RandomCrop", crop_size=crop_size),
    dict(type="RandomFlip", prob=[0.25, 0.25], direction=["horizontal", "vertical"]),
    dict(type="PackSegInputs"),
]
# At the published size: images of one set may differ in it, hence one at a time.
test_pipeline = [dict(type="LoadIRSTDPair"), dict(type="PackSegInputs")]

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="IRSTDSegDataset", split="irsam", subset="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="IRSTDSegDataset", split="irsam", subset="test", test_mode=True, pipeline=test_pipeline),
)
val_evaluator = dict(type="IRSTDMetric", protocol="exact")
test_dataloader = val_dataloader
test_evaluator = val_evaluator
