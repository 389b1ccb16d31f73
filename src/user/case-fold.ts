/** Tells whether a text has anything beyond ASCII; most names have not. */
export const BEYOND_ASCII = /[\u0080-\uffff]/;

/** What is not seen: UAX 44, Default_Ignorable_Code_Point. */
export const INVISIBLE = /\p{DI}+/gu;

/** What has a decomposition of type <wide> or <narrow>. */
const WIDE_OR_NARROW = /[\u3000\uff01-\uffee]/g;
/** Of what NFKC makes of those: what the mapping itself stops at, the letters of Hangul and the macron. */
const STEP_BACK = new Map(
  ['\u00af', ...Array.from({ length: 52 }, (_, i) => String.fromCharCode(0x3131 + i))].map(
    (character) => [character.normalize('NFKC'), character],
  ),
);

/**
 * A name as it is compared with others when somebody chooses one: what differs in case, width or
 * normal form only is one name. Names are stored, shown and logged in with as they were typed.
 *
 * These are the mappings of PRECIS UsernameCaseMapped (RFC 8265 §3.3.2; rules of RFC 8264 §5.2):
 * width, case by Unicode's toLowerCase() with the final sigma and without a language, then NFC.
 * What the profile refuses besides has no say here: `Username` has rules of its own, and rows from
 * before have names of all kinds. Of those, what nobody sees, which the profile refuses (RFC 8264
 * §9.13), makes no difference.
 *
 * @param name of bounded length: NFC takes time that grows with the square of a run of marks
 */
export function caseFold(name: string): string {
  if (!BEYOND_ASCII.test(name)) return name.toLowerCase();
  return mapWidth(name.replace(INVISIBLE, '')).toLowerCase().normalize('NFC');
}

/** Makes full-width and half-width characters those that they are forms of (RFC 8264 §5.2.1). */
export function mapWidth(text: string): string {
  return text.replace(WIDE_OR_NARROW, (character) => {
    const decomposed = character.normalize('NFKC');
    return STEP_BACK.get(decomposed) ?? decomposed;
  });
}
