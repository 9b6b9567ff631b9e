_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="irstd-1k"))
val_dataloader = dict(dataset=dict(name="irstd-1k"))
test_dataloader = val_dataloader
