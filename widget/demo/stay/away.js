// The way to the payment page and back. The provider adds what it likes to the address on the way
// back: all of it goes, and none of it is believed, since anybody can type an address.

const PROVIDERS = /^(payment_intent|payment_intent_client_secret|redirect_.*|source_.*)$/;

/** Where a payment page leads back to: the trips, and which of them it was about. */
export function wayBack(origin, booking) {
  return `${origin}/trips?booking=${encodeURIComponent(booking)}`;
}

/**
 * What an address says to a page: `{booking, cameBack, address}`. `address` is the same without
 * what a provider has added, and `cameBack` says whether there was any.
 */
export function arrival({ pathname, search, hash }) {
  const params = new URLSearchParams(search);
  const added = [...params.keys()].filter((name) => PROVIDERS.test(name));
  for (const name of added) params.delete(name);
  const rest = params.toString();
  return {
    booking: params.get("booking"), cameBack: added.length > 0,
    address: `${pathname}${rest && `?${rest}`}${hash}`,
  };
}

/** Whether an address is one that a browser may be sent to. */
export function isWebAddress(url) {
  return URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol);
}
