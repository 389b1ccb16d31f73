/** What a terminal would obey, or not show, or show in another order. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * A text that somebody else has chosen, as it can be shown at a terminal: what is not seen is written
 * as `\u{…}`.
 *
 * @param maxCharacters of the text that are shown
 */
export function printable(text: string, maxCharacters = 254): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, maxCharacters).join('');
  const escaped = shown.replace(
    UNPRINTABLE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return characters.length > maxCharacters ? `${escaped}…` : escaped;
}
