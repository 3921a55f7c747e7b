// CRC-32 as in ISO-HDLC (zip, Ethernet), the checksum by which a calendar proves itself.
//
// Server and widget compute it over the same short text; equal digests mean equal calendars.
// Input is ASCII, output is eight lower-case hex digits.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let rest = index;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

export function crc32(text) {
  let rest = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    rest = TABLE[(rest ^ text.charCodeAt(index)) & 0xff] ^ (rest >>> 8);
  }
  return ((rest ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}
