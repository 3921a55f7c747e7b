// The addresses of an element's server, and where its stays are booked.
//
// The server is the one that this module came from, unless the attribute `server` names another.
// Only http and https are ever linked or asked.

const HERE = new URL("..", import.meta.url);

/** `{socket, quotes, home}`: where to follow, to ask for prices, and to look at a property. */
export function serverOf(element) {
  const base = addressIn(element.getAttribute("server")) ?? HERE;
  const folder = base.pathname.replace(/\/*$/, "/");
  const below = (path) => new URL(folder + path, base.origin);
  const socket = below("ws");
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  return {
    socket,
    quotes: below("api/v1/quotes"),
    home: below(`stay/${encodeURIComponent(element.getAttribute("property"))}`),
  };
}

/** Where a stay is booked: on the server's page of the property, or where `book-url` says. */
export function stayAt(element, { check_in, check_out, guests }) {
  const address = addressIn(element.getAttribute("book-url")) ?? serverOf(element).home;
  for (const [name, value] of Object.entries({ check_in, check_out, guests })) {
    address.searchParams.set(name, value);
  }
  return address.href;
}

function addressIn(text) {
  if (!text || !URL.canParse(text, document.baseURI)) return null;
  const address = new URL(text, document.baseURI);
  return ["http:", "https:"].includes(address.protocol) ? address : null;
}
