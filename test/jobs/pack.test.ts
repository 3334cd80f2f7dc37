import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pack, unpack } from '../../jobs/pack.ts';

const large = {
  v: 1,
  orders: Array.from({ length: 250 }, (_, index) => ({
    run: `check-${index}@north@1790000000000@scheduled@0`,
    params: { url: 'http://ä€😀.example' },
  })),
};
const packedOf = (text: string | Buffer) => ({ packed: deflateRawSync(text).toString('base64') });

it('hands a large job on as it is, in a tenth of its size', () => {
  const packed = pack(large);
  expect(unpack(JSON.parse(JSON.stringify(packed)))).toEqual(large);
  expect(JSON.stringify(packed).length).toBeLessThan(JSON.stringify(large).length / 10);
});

it('leaves a small job readable', () => {
  for (const small of [{}, { v: 1, orders: [] }, { packing: true }]) {
    expect(pack(small)).toBe(small);
    expect(unpack(small)).toEqual(small);
  }
});

it('takes nothing that it cannot have made', () => {
  const bomb = packedOf(Buffer.alloc(40_000_000, 'a'));
  expect(bomb.packed.length).toBeLessThan(100_000);
  for (const data of [{ packed: 1 }, { packed: null }, { packed: 'not packed' }, { packed: '' }, packedOf('{"v": 1'), packedOf(''), bomb]) {
    expect(() => unpack(data)).toThrow();
  }
});
