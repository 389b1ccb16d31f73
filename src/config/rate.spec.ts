import { parseRate } from './rate';

describe('parseRate', () => {
  it.each([
    ['1/second', 1, 1],
    ['300/minute', 300, 60],
    ['100/hour', 100, 3600],
    ['999999999/day', 999_999_999, 86_400],
  ])('takes %s', (text, count, seconds) => {
    expect(parseRate(text)).toEqual({ count, seconds });
  });

  it.each([
    '',
    '100',
    '0/hour',
    '-1/hour',
    '1.5/hour',
    '1/week',
    '1/Hour',
    '1 / hour',
    '1/toString',
  ])('refuses %s', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });
});
