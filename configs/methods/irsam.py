"""IRSAM by the paper's protocol, with a training recipe after IPIC-Lab/IRSAM, train_IRSAM.py at commit 5adeb85.

Kept from it: AdamW at 1e-4 without weight decay on all parameters, batches of 4, images resized to 512, flips, large-scale
jitter, and the loss, which belongs to the method. Not kept are these oddities; irsam_as_released.py has those that the trainer
can follow:

- The cosine has a half-period of 50 epochs in a run of 1001, so that the learning rate swings between 1e-4 and 0 twenty times.
  Here it falls once, over the run.
- Edges are found before resizing and jitter and then interpolated, which makes the edge target soft. Here Canny sees the mask
  that the network is trained on.
- Nothing is seeded. Here the seed is set.
- IoU, nIoU, Pd and Fa are each reported at the epoch that was best for it on the test set. Here the last epoch counts.
- A learning-rate drop is parsed and never read, and the progress bar shows a Dice term that is not in the loss.

The paper gives no number of epochs, and the released script runs 1001. The 500 here are our choice, which neither backs:
half of the script's passes, with a rate that falls once. Start from MobileSAM's weights with ``init_from="mobile_sam.pt"``; the
authors do.
"""

method = dict(type="irsam")

recipe = dict(
    seed=0,
    epochs=500,
    batch_size=4,
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=0.0),
    schedule=dict(type="CosineAnnealingLR", eta_min=0.0),
    augmentation=[
        dict(type="Resize", size=512),
        dict(type="RandomFlip", prob=0.5, direction="horizontal"),
        # Padding lies at the bottom and the right, grey level 128, no target; a larger image is cropped at random.
        dict(type="LargeScaleJitter", scale=(0.8, 1.5), size=512, pad_value=128),
    ],
    select="last",
)
