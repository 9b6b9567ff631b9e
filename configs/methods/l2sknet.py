"""L2SKNet, with the training recipe of fengyiwu98/L2SKNet, train_device0.py.

The authors train on whole images of 256x256 px (NUDT-SIRST) or 512x512 px (IRSTD-1k) without any augmentation; here squares
of 256 px are cut out, which of the first are the images themselves, since those of NUAA-SIRST have many sizes. Repaired:
the test set is scored after every epoch, and IoU, F-score, Pd and Fa are each reported of the epoch that is best for them;
here the last epoch counts.
"""

method = dict(type="l2sknet")

recipe = dict(
    epochs=400,
    batch_size=8,
    optimizer=dict(type="Adam", lr=5e-4),
    schedule=dict(type="MultiStepLR", milestones=[200, 300], gamma=0.1, by_epoch=True),
    augmentation=[dict(type="RandomCrop", size=256)],
)
