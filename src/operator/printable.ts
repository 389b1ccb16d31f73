/** Control characters that JSON has as they are. */
const UNESCAPED = /[\u007f-\u009f]/g;

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

/** A value as JSON that can be shown at a terminal. */
export function printableJson(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2));
}

/** The same on one line. */
export function printableLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

function escaped(json: string): string {
  return json.replace(
    UNESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
