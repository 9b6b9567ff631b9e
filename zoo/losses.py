"""The registry of losses that a recipe may name in place of a method's own."""

from mmengine.registry import Registry

# Functions of Bx1xHxW logits and Bx1xHxW masks, 0..1, to a scalar.
LOSSES = Registry("loss", scope="irsam_zoo", locations=["irsam_zoo.baselines.deep.parts.named_losses"])
