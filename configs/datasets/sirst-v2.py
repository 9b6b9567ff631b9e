_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="sirst-v2"))
val_dataloader = dict(dataset=dict(name="sirst-v2"))
test_dataloader = val_dataloader
