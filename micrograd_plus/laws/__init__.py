"""What must any scalar engine get right? Laws, and the smallest program that breaks one."""

from micrograd_plus.laws.holding import EngineReport as EngineReport
from micrograd_plus.laws.holding import Failure as Failure
from micrograd_plus.laws.holding import Law as Law
from micrograd_plus.laws.holding import Outcome as Outcome
from micrograd_plus.laws.holding import check_engine as check_engine
