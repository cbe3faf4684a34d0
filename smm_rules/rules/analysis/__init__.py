"""What can be said of sound rules without running them: conditions that never hold, rules that collide.

Everything here is cautious: a warning is given only where it is proved. A condition is turned into boxes
(`normal`), each a conjunction of what single facts may be (`allowed`, `box`), and what is always so of facts
(`world`) is added. What a box can't express is left open, which can hide a warning and never make one up.
"""

from smm_rules.rules.analysis.warn import Warnings

__all__ = ["Warnings"]
