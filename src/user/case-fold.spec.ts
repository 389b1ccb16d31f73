import { caseFold, mapWidth } from './case-fold';

/** Of one code point: see NameFoldingService. */
const MAX_FOLDED_BYTES = 12;

/** Every character that Unicode has assigned, as this Node knows it. */
function characters(): string[] {
  return Array.from({ length: 0x110000 }, (_, codePoint) => String.fromCodePoint(codePoint)).filter(
    (character) => !/[\p{Cn}\p{Cs}\p{Co}]/u.test(character),
  );
}

describe('caseFold', () => {
  it.each([
    // RFC 8265 §3.5 and §3.3.3.
    ['juliet@example.com', 'juliet@example.com'],
    ['fussball', 'fussball'],
    ['fußball', 'fußball'],
    ['π', 'π'],
    ['Σ', 'σ'],
    ['σ', 'σ'],
    ['ς', 'ς'],
    // Case
    ['Alice', 'alice'],
    ['ÉVA', 'éva'],
    ['ПРИВЕТ', 'привет'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['İstanbul', 'i̇stanbul'],
    ['ISTANBUL', 'istanbul'],
    ['ǅ', 'ǆ'],
    ['ᏣᎳᎩ', 'ꮳꮃꭹ'],
    ['\u212a', 'k'],
    ['STRAẞE', 'straße'],
    // Width
    ['Ａｌｉｃｅ１', 'alice1'],
    ['ﾊﾅｺ', 'ハナコ'],
    ['ｶﾞ', 'ガ'],
    ['\uffa1\uffc2', 'ㄱㅏ'],
    ['김\u3000하나', '김 하나'],
    ['￣', '¯'],
    // Compatible, but neither wide nor narrow
    ['ﬁ', 'ﬁ'],
    ['①', '①'],
    // Normal form
    ['하나'.normalize('NFD'), '하나'],
    ['É'.normalize('NFD'), 'é'],
    ['\u2126', 'ω'],
    // What nobody sees
    ['하\u200b나\u3164', '하나'],
    ['❤\ufe0f', '❤'],
  ])('makes %j %j', (name, folded) => {
    expect(caseFold(name)).toBe(folded);
  });

  it('has nothing more to do to what it has made, of whatever normal form, and fits an index', () => {
    const wrong = characters().filter((character) => {
      const folded = caseFold(character);
      return (
        caseFold(folded) !== folded ||
        caseFold(character.normalize('NFD')) !== folded ||
        Buffer.byteLength(folded) > MAX_FOLDED_BYTES
      );
    });
    expect(wrong).toEqual([]);
  });
});

it('mapWidth makes forms of a character that character, and leaves alone what is none', () => {
  const mapped = characters().filter((character) => mapWidth(character) !== character);
  expect(mapped).toHaveLength(226);
  for (const character of mapped) {
    expect(mapWidth(character).normalize('NFKC')).toBe(character.normalize('NFKC'));
  }
});
