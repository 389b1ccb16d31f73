import { Readable } from 'node:stream';
import { linesOf } from './lines';

async function read(chunks: string[], maxBytes = 10): Promise<[number, string | undefined][]> {
  const lines: [number, string | undefined][] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  for await (const { number, bytes } of linesOf(stream, maxBytes)) {
    lines.push([number, bytes?.toString()]);
  }
  return lines;
}

describe('linesOf', () => {
  it('gives the same lines wherever a stream is cut', async () => {
    const lines = [
      [1, 'one'],
      [2, ''],
      [3, 'thr\u00e9e\r'],
      [4, 'four'],
    ];
    const text = 'one\n\nthr\u00e9e\r\nfour';
    expect(await read([text])).toEqual(lines);
    expect(await read([`${text}\n`])).toEqual(lines);
    for (let at = 0; at <= text.length; at += 1) {
      expect(await read([text.slice(0, at), text.slice(at)])).toEqual(lines);
    }
    expect(await read([])).toEqual([]);
    expect(await read(['\n'])).toEqual([[1, '']]);
  });

  it('leaves out a line that is too long, and none after it', async () => {
    const long = 'x'.repeat(11);
    const lines = [
      [1, 'ten 456789'],
      [2, undefined],
      [3, 'b'],
      [4, undefined],
    ];
    expect(await read([`ten 456789\n${long}\nb\n${long}`])).toEqual(lines);
    expect(await read(['ten 456', `789\n${long}`, long, '\nb\n', long])).toEqual(lines);
  });
});
