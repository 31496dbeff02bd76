"""What must any scalar engine get right? Laws, and the smallest program that breaks one."""

from micrograd_plus.laws.checking import check_engine as check_engine
from micrograd_plus.laws.programs import Failure as Failure
from micrograd_plus.laws.reports import EngineReport as EngineReport
from micrograd_plus.laws.reports import Law as Law
from micrograd_plus.laws.reports import Outcome as Outcome
