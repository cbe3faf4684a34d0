"""Numbers, percentages, money and texts as conditions write them."""

from __future__ import annotations

import re
from decimal import Decimal

from smm_rules.document.problem import did_you_mean

#: No fact of a panel is longer; a longer number is a slip of the keyboard.
MOST_DIGITS = 30
NUMBER = re.compile(r"\d[\d_]*(?:\.\d[\d_]*)?|\.\d+", re.ASCII)

#: ISO 4217, the currencies in circulation: a currency that isn't one could never equal a panel's.
_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_ISO_4217.split())
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "₺": "TRY", "₽": "RUB", "₹": "INR", "¥": "JPY", "₴": "UAH"}

#: The currencies most panels count in, preferred among the near ones for a misspelt currency.
_COMMON = ("USD", "EUR", "TRY", "INR", "RUB", "BRL", "GBP", "IDR", "PKR", "UAH", "VND")
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


def parse_number(text: str) -> int | Decimal:
    """The number in `text`, a decimal when it has a point; `ValueError` says what is wrong."""
    digits = text.replace("_", "")
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"the number is longer than {MOST_DIGITS} digits")
    if "." in digits:
        return Decimal(digits)
    if len(digits) > 1 and digits.startswith("0"):
        raise ValueError(f"the number {text} starts with a zero")
    return int(digits)


def parse_percentage(text: str) -> Decimal:
    """`10%` as 0.1; `ValueError` says what is wrong."""
    return Decimal(parse_number(text.removesuffix("%"))).scaleb(-2)


def near_currency(given: str) -> str:
    """`Did you mean "USD"?` for the nearest currency, the common ones first, or an empty text."""
    swapped = [currency for currency in _COMMON if sorted(currency) == sorted(given.upper())]
    return did_you_mean(given, swapped or _COMMON) or did_you_mean(given, CURRENCIES)


def parse_text(inner: str) -> str:
    """What stands between the quotes of a text, escapes undone; `ValueError` names one that means nothing."""

    def undo(escape: re.Match[str]) -> str:
        if escape[1] not in _ESCAPES:
            raise ValueError(f"the text holds {escape[0]}, which means nothing here")
        return _ESCAPES[escape[1]]

    return _ESCAPE.sub(undo, inner)


def quoted(text: str) -> str:
    """`text` as a condition writes it, in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
