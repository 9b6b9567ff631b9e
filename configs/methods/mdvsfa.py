"""MDvsFA, with the training recipe of wanghuanphd/MDvsFA_cGAN, demo_MDvsFA_pytorch.py: alternating updates of three networks.

Repaired: the script applies the decay of the learning rate to the second generator twice and to the discriminator never;
here each decays once every ten epochs. Its training images are 128x128 px patches already; here they are cut at random.
"""

method = dict(type="mdvsfa")

recipe = dict(
    model="AlternatingModel",
    epochs=30,
    batch_size=20,
    optimizer=dict(
        generator1=dict(type="Adam", lr=1e-4, betas=(0.5, 0.999)),
        generator2=dict(type="Adam", lr=1e-4, betas=(0.5, 0.999)),
        discriminator=dict(type="Adam", lr=1e-5, betas=(0.5, 0.999)),
    ),
    schedule=dict(type="StepLR", step_size=10, gamma=0.2, by_epoch=True),
    augmentation=[dict(type="RandomCrop", size=128)],
)
