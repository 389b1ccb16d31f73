import { imitatesAscii, skeleton } from './skeleton';

describe('skeleton', () => {
  it.each([
    ['pаypаl', 'paypal'],
    ['𝔭𝒶ỿ𝕡𝕒ℓ', 'paypal'],
    ['ѕсоре', 'scope'],
    ['𝓪lice', 'alice'],
    ['hana', 'hana'],
    ['10Im|"', "lOlrnl''"],
    // What it becomes is looked at again by nobody: one step, then the normal form.
    ['Ǆ', 'DŽ'.normalize('NFD')],
    ['é', 'e\u0301'],
    ['ha\u200bna\u3164', 'hana'],
  ])('of %j is %j', (name, expected) => {
    expect(skeleton(name)).toBe(expected);
  });

  it.each([
    ['paypal', 'paypaI'],
    ['rnary', 'mary'],
    ['\u2126mega', 'Ωmega'],
    ['ハ', '八'],
  ])('is the same of %j and %j', (one, other) => {
    expect(skeleton(one)).toBe(skeleton(other));
  });
});

describe('imitatesAscii', () => {
  it.each([
    'раураl',
    'ѕсоре',
    'ѕсоре%',
    'ΝΙΚΗ',
    'ᎳᎪ',
    'ａｄｍｉｎ',
    'ｂｏｂ',
    'ﬁnn',
    'Lætitia',
    'Yıldız',
    'ℝobert',
    '𝓪lice',
    'O’Brien',
    'hana\u00a0kim',
    'hana\u3000kim',
    'hana\u3164',
    'hana\u034f',
    '\u3164',
    'ノ',
  ])('%j does', (name) => {
    expect(imitatesAscii(name)).toBe(true);
  });

  it.each([
    'hana',
    '100%',
    'paypa1',
    'Привет',
    'Νίκη',
    'ᏣᎳᎩ',
    'Ωmega',
    'Éva',
    'Bjørn',
    'Weiß',
    'Łukasz',
    'Işık',
    '김철수',
    '김철수'.normalize('NFD'),
    'ㅋㅋㅋ',
    '田中〇',
    'ノア',
    '하나\u3000김',
    '🦊',
    'hana❤\ufe0f',
    '1º',
  ])('%j does not', (name) => {
    expect(imitatesAscii(name)).toBe(false);
  });

  it('is said of no Korean syllable', () => {
    for (let codePoint = 0xac00; codePoint <= 0xd7a3; codePoint += 1) {
      if (imitatesAscii(String.fromCodePoint(codePoint))) throw new Error(String(codePoint));
    }
  });
});
