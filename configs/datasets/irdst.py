_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="irdst"))
val_dataloader = dict(dataset=dict(name="irdst"))
test_dataloader = val_dataloader
