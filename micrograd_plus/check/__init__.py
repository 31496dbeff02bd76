"""Is a gradient right? Every derivative against differences, which know their own error and see kinks."""

from micrograd_plus.check.checking import check_grads as check_grads
from micrograd_plus.check.reports import Finding as Finding
from micrograd_plus.check.reports import GradientError as GradientError
from micrograd_plus.check.reports import GradientReport as GradientReport
