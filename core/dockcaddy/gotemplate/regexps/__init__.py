"""Go's regular expressions (https://pkg.go.dev/regexp), found in bounded time."""

from dockcaddy.gotemplate.regexps.machine import Captures, Regexp, compile_regexp

__all__ = ["Captures", "Regexp", "compile_regexp"]
