_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="synthetic"))
val_dataloader = dict(dataset=dict(name="synthetic"))
test_dataloader = val_dataloader
