_base_ = "./_base_/irstd.py"

train_dataloader = dict(dataset=dict(name="nudt-sirst-sea"))
val_dataloader = dict(dataset=dict(name="nudt-sirst-sea"))
test_dataloader = val_dataloader
