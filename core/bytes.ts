/** Whole numbers as bytes, small ones as one: for what is kept in millions of rows. */

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
export function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Bytes with how far they have been read. */
export interface ByteReader {
  bytes: Uint8Array;
  at: number;
}

/** The next number. Throws when the bytes end in the middle of it. */
export function readNumber(reader: ByteReader): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new Error('a rollup is cut off: it is to be counted again from what is below it');
    value += (byte % 128) * unit;
    if (byte < 128) return value;
  }
}
