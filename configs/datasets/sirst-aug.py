_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="sirst-aug"))
val_dataloader = dict(dataset=dict(name="sirst-aug"))
test_dataloader = val_dataloader
