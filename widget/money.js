// Amounts of integer minor units, written as a locale writes its money.
//
// How many minor digits a currency has is ISO 4217's business, and the server reckons by it. `Intl`
// follows everyday usage instead, where some currencies have lost their cents (it writes IDR and
// COP so); by its count an amount would look a hundred times too large. An amount becomes a
// decimal text and never a floating point number of its own.

const NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND";

// From this many units on there is no room in a night for all digits.
const COMPACT_FROM = 10_000;
// Up to this many units a rounded price would say too little.
const EXACT_BELOW = 10;

/** `minor` units in full, like `$1,234.50`; "" where it is no amount of a currency. */
export function money(locale, minor, currency) {
  return written(locale, minor, currency, (digits) => ({
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
}

/** The same in about five characters, like `$1,235`; without its currency where that is long. */
export function shortMoney(locale, minor, currency) {
  return written(locale, minor, currency, (digits, units) => ({
    ...(hasSign(locale, currency)
      ? { style: "currency", currency, currencyDisplay: "narrowSymbol" }
      : {}),
    notation: units < COMPACT_FROM ? "standard" : "compact",
    minimumFractionDigits: 0,
    maximumFractionDigits: units >= COMPACT_FROM ? 1 : units < EXACT_BELOW ? digits : 0,
  }));
}

/** `minor` units as a decimal text with so many digits behind its point. */
export function decimalOf(minor, digits) {
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  const units = text.slice(0, text.length - digits);
  return `${minor < 0 ? "-" : ""}${units}${digits > 0 ? `.${text.slice(-digits)}` : ""}`;
}

/** How many digits the minor units of a currency make, by ISO 4217. */
export function digitsOf(currency) {
  return NO_DIGITS.includes(currency) ? 0 : THREE_DIGITS.includes(currency) ? 3 : 2;
}

function written(locale, minor, currency, options) {
  if (!Number.isSafeInteger(minor) || minor < 0 || !/^[A-Z]{3}$/.test(currency)) return "";
  const digits = digitsOf(currency);
  const decimal = decimalOf(minor, digits);
  return new Intl.NumberFormat(locale, options(digits, Math.trunc(decimal))).format(decimal);
}

function hasSign(locale, currency) {
  const format = new Intl.NumberFormat(locale, {
    style: "currency", currency, currencyDisplay: "narrowSymbol",
  });
  const parts = format.formatToParts(0);
  return parts.find(({ type }) => type === "currency").value.length === 1;
}
