_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="nuaa-sirst"))
val_dataloader = dict(dataset=dict(name="nuaa-sirst"))
test_dataloader = val_dataloader
