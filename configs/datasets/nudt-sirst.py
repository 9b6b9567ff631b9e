_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="nudt-sirst"))
val_dataloader = dict(dataset=dict(name="nudt-sirst"))
test_dataloader = val_dataloader
