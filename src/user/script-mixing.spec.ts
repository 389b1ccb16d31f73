import { mixesScripts } from './script-mixing';

describe('mixesScripts', () => {
  it.each([
    ['Latin and Cyrillic', 'pаypаl'],
    ['Greek and Latin', 'Ωmega'],
    ['the sign of ohm and Latin', '\u2126mega'],
    ['Cyrillic and Greek', 'яα'],
    ['Cherokee and Latin', 'Ꭺlice'],
    ['Korean and Japanese', '하나はな'],
    ['Japanese and Bopomofo', 'ひㄅ'],
    ['Korean and Cyrillic', '하나Я'],
    ['Hebrew and Latin', 'שלוםa'],
    ['Latin and digits of Arabic', 'hana٣'],
    ['Japanese and Thai', '花ก'],
  ])('is said of %s: %s', (_name, name) => {
    expect(mixesScripts(name)).toBe(true);
  });

  it.each([
    ['ASCII', `'; DROP TABLE "user"; --`],
    ['Latin with marks', 'Éva Łukasz'.normalize('NFD')],
    ['Cyrillic with digits', 'Привет 2'],
    ['Greek', 'Νίκη'],
    ['Cherokee', 'ᏣᎳᎩ'],
    ['Cherokee in lower case', 'ꮳꮃꭹ'],
    ['Korean', '김철수'],
    ['Korean in its letters', '김철수'.normalize('NFD')],
    ['Korean with Latin and digits', '김철수Kim7'],
    ['Korean with Han and Latin', '金철수kim'],
    ['Korean of half width', '\uffa1\uffc2'],
    ['Japanese', '花子はなハナー'],
    ['Japanese with Latin and digits', '花子はなハナHana7'],
    ['Chinese', '王小明'],
    ['Chinese with Latin and digits', '王小明Wang7'],
    ['Chinese with Bopomofo and Latin', '王ㄨㄤˊWang'],
    ['Arabic with its digits', 'محمد٣'],
    ['Hindi with a danda, which Bengali has too', 'नमस्ते।'],
    ['Devanagari', 'हाना'],
    ['Thai', 'ฮานา'],
    ['Tifinagh', 'ⵣⵣ'],
    ['signs and digits only', '☆2★'],
    ['emoji', '🦊❤\ufe0f'],
    ['emoji with Korean', '하나🦊'],
    ['private characters', 'a\ue000b'],
    ['nothing', ''],
  ])('is not said of %s: %s', (_name, name) => {
    expect(mixesScripts(name)).toBe(false);
  });

  it('knows a script of every character', () => {
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 1) {
      const character = String.fromCodePoint(codePoint);
      if (!/[\p{Cn}\p{Cs}]/u.test(character) && mixesScripts(character)) {
        throw new Error(`U+${codePoint.toString(16)}`);
      }
    }
  });
});
