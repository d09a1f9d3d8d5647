"""Floats as Go's strconv and fmt write them."""

import math
import struct
from decimal import Decimal


def _shortest(number: float, bits: int) -> tuple[str, int]:
    """The fewest digits that read back as the number, and the decimal point's place (0.DIGITS * 10^place)."""
    if bits == 32:
        number = _shortest32(number)
    _, digits, exponent = Decimal(repr(abs(number))).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    place = len(digits) + int(exponent)
    return (text or "0"), (place if text else 1)


def _shortest32(number: float) -> float:
    """The float64 whose repr is the shortest text of the float32."""
    for precision in range(1, 10):
        candidate = float(f"{number:.{precision}g}")
        if struct.pack("f", candidate) == struct.pack("f", number):
            return candidate
    return number


def format_float(number: float, verb: str, precision: int | None, bits: int, sharp: bool) -> str:
    """One float by a fmt verb; `precision` None is the verb's own default, infinity and NaN are words.

    `sharp` keeps the decimal point, and with `g` and `x` the zeros at the end.
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    sign = "-" if math.copysign(1, number) < 0 else ""
    magnitude = abs(number)
    if verb in "eEfF" and precision is None:
        precision = 6
    if verb == "v":
        verb = "g"
    if verb in "gG":
        body = _general(magnitude, precision, bits)
    elif verb in "eE":
        body = _two_digit_exponent(f"{magnitude:.{precision}e}")
    elif verb in "fF":
        body = f"{magnitude:.{precision}f}"
    elif verb in "xX":
        body = _hexadecimal(magnitude, precision)
    else:
        body = _binary(magnitude, bits)
        sharp = False
    if sharp:
        body = _with_point(body, (6 if precision is None else precision) if verb in "gGx" else 0)
    return sign + (body.upper() if verb in "EGX" else body)


def _general(magnitude: float, precision: int | None, bits: int) -> str:
    if precision is None:
        digits, place = _shortest(magnitude, bits)
        # strconv: where the precision is the shortest possible, 6 decides about the exponent
        threshold = 6
    else:
        threshold = precision or 1
        _, rounded, exponent = Decimal(f"{magnitude:.{threshold - 1}e}").as_tuple()
        digits, place = "".join(map(str, rounded)), len(rounded) + int(exponent)
        digits = digits.rstrip("0") or "0"
        if not magnitude:
            place = 1
    power = place - 1
    if power < -4 or power >= threshold:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return _two_digit_exponent(f"{mantissa}e{power:+d}")
    if place <= 0:
        return "0." + "0" * -place + digits
    if place >= len(digits):
        return digits + "0" * (place - len(digits))
    return f"{digits[:place]}.{digits[place:]}"


def _with_point(body: str, digits: int) -> str:
    """The number with a decimal point, and with zeros up to that many significant digits."""
    end = body.find("p") if body.startswith("0x") else body.find("e")
    mantissa, tail = (body, "") if end < 0 else (body[:end], body[end:])
    # Go counts the `x` too
    significant = mantissa.replace(".", "").lstrip("0")
    if "." not in mantissa:
        digits -= mantissa == "0"
        mantissa += "."
    return mantissa + "0" * max(digits - len(significant), 0) + tail


def _two_digit_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    sign, digits = exponent[0], exponent[1:]
    return f"{mantissa}e{sign}{digits.lstrip('0').rjust(2, '0')}"


def _hexadecimal(magnitude: float, precision: int | None) -> str:
    if magnitude == 0:
        return "0x0" + ("." + "0" * precision if precision else "") + "p+00"
    mantissa, exponent = math.frexp(magnitude)
    scaled = int(mantissa * 2**53)
    power = exponent - 1
    if precision is not None and precision < 13:
        shift = 4 * (13 - precision)
        scaled, rest = divmod(scaled, 1 << shift)
        half = 1 << (shift - 1)
        if rest > half or (rest == half and scaled & 1):
            scaled += 1
        if scaled >> (4 * precision + 1):
            scaled >>= 1
            power += 1
        fraction = f"{scaled & ((1 << (4 * precision)) - 1):0{precision}x}" if precision else ""
    else:
        fraction = f"{scaled & ((1 << 52) - 1):013x}"
        fraction = fraction.rstrip("0") if precision is None else fraction.ljust(precision, "0")
    return "0x1" + ("." + fraction if fraction else "") + f"p{power:+03d}"


def _binary(magnitude: float, bits: int) -> str:
    if bits == 32:
        raw = struct.unpack("<I", struct.pack("<f", magnitude))[0]
        exponent, mantissa, bias, width = raw >> 23, raw & ((1 << 23) - 1), 127, 23
    else:
        raw = struct.unpack("<Q", struct.pack("<d", magnitude))[0]
        exponent, mantissa, bias, width = raw >> 52, raw & ((1 << 52) - 1), 1023, 52
    if exponent == 0:
        exponent = 1
    else:
        mantissa |= 1 << width
    return f"{mantissa}p{exponent - bias - width:+d}"
